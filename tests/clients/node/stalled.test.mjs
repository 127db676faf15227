// A server whose first word never comes. The limits are long enough for each request to arrive first.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });
const asked = { model: 'qwen3', messages: [{ role: 'user', content: 'Hello' }] };
const limit = 1500;

describe('a client that waits no longer', { concurrency: true }, () => {
  for (const stream of [false, true]) {
    test(`has its own class of error, ${stream ? 'streamed' : 'whole'}`, async () => {
      await assert.rejects(
        client.chat.completions.create({ ...asked, stream }, { timeout: limit }),
        OpenAI.APIConnectionTimeoutError,
      );
    });
  }

  test('may be told so by a signal', async () => {
    const signal = AbortSignal.timeout(limit);

    await assert.rejects(client.chat.completions.create(asked, { signal }), OpenAI.APIUserAbortError);
  });
});
