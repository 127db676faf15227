// A server that says the same JSON each time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const client = new OpenAI({ maxRetries: 0 });
const asked = {
  model: 'qwen3',
  messages: [{ role: 'user', content: 'How is the weather in Paris?' }],
  response_format: zodResponseFormat(z.object({ city: z.string(), celsius: z.number() }), 'weather'),
};

test('an answer of a schema is parsed, whole and from a stream', async () => {
  const whole = await client.chat.completions.parse(asked);
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion();

  for (const answer of [whole, streamed]) {
    assert.deepEqual(answer.choices[0].message.parsed, { city: 'Paris', celsius: 21.5 });
  }
});
