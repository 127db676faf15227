// A server whose engine dies after two words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });

test('an error inside of a stream is raised after the words before it', async () => {
  const words = [];
  const stream = await client.chat.completions.create({
    model: 'qwen3',
    messages: [{ role: 'user', content: 'Hello, how are you?' }],
    stream: true,
  });

  await assert.rejects(
    async () => {
      for await (const chunk of stream) words.push(chunk.choices[0].delta.content);
    },
    (error) => error instanceof OpenAI.APIError && error.code === 'engine_dead',
  );
  assert.deepEqual(words, ['Hello,', ' how']);
});
