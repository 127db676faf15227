// A server whose model reasons, calls a tool, and then tells what the tool said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { zodFunction } from 'openai/helpers/zod';
import { z } from 'zod';

const client = new OpenAI({ maxRetries: 0 });
const asked = { model: 'qwen3', messages: [{ role: 'user', content: 'How is the weather in Paris?' }] };
const cities = [];
const weather = zodFunction({
  name: 'weather',
  parameters: z.object({ city: z.string() }),
  function: ({ city }) => {
    cities.push(city);
    return { sunny: true };
  },
});

test('a call is parsed by the tool’s own schema', async () => {
  const answer = await client.chat.completions.parse({ ...asked, tools: [weather] });

  const { message, finish_reason } = answer.choices[0];
  assert.equal(finish_reason, 'tool_calls');
  assert.equal(message.content, 'I look.');
  assert.equal(message.reasoning_content, 'Hm.');
  assert.deepEqual(message.tool_calls[0].function.parsed_arguments, { city: 'Paris' });
});

for (const stream of [false, true]) {
  test(`the runner of tools comes to its end, ${stream ? 'streamed' : 'whole'}`, async () => {
    cities.length = 0;
    const runner = client.chat.completions.runTools({ ...asked, tools: [weather], stream });

    assert.equal(await runner.finalContent(), 'It is sunny in Paris.');
    assert.deepEqual(cities, ['Paris']);
    assert.deepEqual(runner.messages.map((message) => message.role), ['user', 'assistant', 'tool', 'assistant']);
  });
}
