// A server that is still loading its model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 5 });

test('a server that starts is an error to who does not wait, and an answer to who does', async () => {
  await assert.rejects(client.models.list({ maxRetries: 0 }), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.deepEqual([error.status, error.code], [503, 'model_loading']);
    return true;
  });

  assert.equal((await client.models.retrieve('qwen3')).id, 'qwen3');
});
