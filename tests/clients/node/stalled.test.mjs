// A server whose first word never comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });
const asked = { model: 'qwen3', messages: [{ role: 'user', content: 'Hello' }] };

for (const stream of [false, true]) {
  test(`a client that waits no longer says so, ${stream ? 'streamed' : 'whole'}`, async () => {
    await assert.rejects(
      client.chat.completions.create({ ...asked, stream }, { timeout: 300 }),
      OpenAI.APIConnectionTimeoutError,
    );
  });
}

test('a request can be aborted', async () => {
  const signal = AbortSignal.timeout(300);

  await assert.rejects(client.chat.completions.create(asked, { signal }), OpenAI.APIUserAbortError);
});
