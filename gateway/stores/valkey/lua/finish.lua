-- Keep the answer of a run of an idempotency key.
-- KEYS: the key's hash. ARGV: fence, answer, whether the outcome is doubtful.
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'running', 0, 'doubtful', ARGV[3], 'answer', ARGV[2])
return 1
