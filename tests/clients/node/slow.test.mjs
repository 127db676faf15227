// A server whose first word comes after more than ten seconds, as with a very long prompt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });

test('comments before the first word are read over', async () => {
  const messages = [{ role: 'user', content: 'Hello, how are you?' }];

  const stream = client.chat.completions.stream({ model: 'qwen3', messages });

  assert.equal(await stream.finalContent(), 'Hello, how are you?');
});
