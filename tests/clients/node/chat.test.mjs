// A server that says what it hears: models, chats and texts, whole and streamed, and what is wrong with a request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });
const hello = 'Hello, how are you?';
const asked = { model: 'qwen3', messages: [{ role: 'user', content: hello }] };

test('models are listed and retrieved', async () => {
  const listed = [];
  for await (const model of client.models.list()) listed.push(model);

  assert.deepEqual(listed.map((model) => model.id), ['qwen3']);
  assert.deepEqual({ ...(await client.models.retrieve('qwen3')) }, { ...listed[0] });
});

test('a chat is answered whole', async () => {
  const answer = await client.chat.completions.create({ ...asked, max_tokens: 100 });

  assert.equal(answer.choices[0].message.content, hello);
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.equal(answer.usage.total_tokens, 8);
});

test('a chat is streamed chunk by chunk', async () => {
  const stream = await client.chat.completions.create({
    ...asked,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);

  const words = chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content ?? ''));
  assert.equal(words.join(''), hello);
  assert.ok(words.length >= 4);
  assert.equal(chunks.at(-1).usage.completion_tokens, 4);
});

test('the stream helper gathers the whole answer', async () => {
  const heard = [];
  const stream = client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
  stream.on('content', (delta) => heard.push(delta));

  assert.equal(await stream.finalContent(), hello);
  assert.equal(heard.join(''), hello);
  assert.equal((await stream.totalUsage()).total_tokens, 8);
});

test('a text is completed whole and streamed', async () => {
  const text = { model: 'qwen3', prompt: 'The capital of France is', max_tokens: 10 };
  const whole = await client.completions.create(text);
  let streamed = '';
  for await (const chunk of await client.completions.create({ ...text, stream: true })) {
    streamed += chunk.choices[0].text;
  }

  assert.equal(whole.choices[0].text, text.prompt);
  assert.equal(streamed, text.prompt);
});

const wrong = [
  [OpenAI.AuthenticationError, 'invalid_api_key', null, () => client.withOptions({ apiKey: 'wrong' }).models.list()],
  [OpenAI.NotFoundError, 'model_not_found', 'model', () => client.models.retrieve('gpt-4')],
  [OpenAI.BadRequestError, 'model_not_found', 'model', () => create({ model: 'gpt-4' })],
  [OpenAI.BadRequestError, 'context_length_exceeded', 'messages', () => create({ max_tokens: 200_000, stream: true })],
  [OpenAI.UnprocessableEntityError, null, 'seed', () => create({ seed: 'x' })],
];
const create = (fields) => client.chat.completions.create({ ...asked, ...fields });

for (const [type, code, param, ask] of wrong) {
  test(`what is wrong arrives as ${type.name} with code ${code}`, async () => {
    await assert.rejects(ask(), (error) => {
      assert.ok(error instanceof type);
      assert.deepEqual([error.code, error.param, error.type], [code, param, 'invalid_request_error']);
      assert.ok(error.requestID);
      return true;
    });
  });
}
