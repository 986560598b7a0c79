-- A run of an idempotency key sent nothing: the key is free again. What an earlier run may have done stays doubtful.
-- KEYS: the key's hash. ARGV: fence.
local run = redis.call('HMGET', KEYS[1], 'fence', 'running', 'doubtful')
if run[1] == ARGV[1] and run[2] == '1' then
  if run[3] == '1' then
    redis.call('HSET', KEYS[1], 'running', 0, 'departed', 0)
  else
    redis.call('DEL', KEYS[1])
  end
end
return 1
