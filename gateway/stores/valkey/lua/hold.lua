-- Hold on to a run of an idempotency key, or note that it is about to send something.
-- KEYS: the key's hash. ARGV: fence, 'renew' and the lease, or 'depart'.
local run = redis.call('HMGET', KEYS[1], 'fence', 'running', 'lease_ends')
if run[1] ~= ARGV[1] then
  return 0
end
local running, now = run[2] == '1', clock()
if ARGV[2] == 'renew' then
  if running then
    redis.call('HSET', KEYS[1], 'lease_ends', now + tonumber(ARGV[3]))
  end
  return 1
end
if not running or now >= tonumber(run[3]) then
  return 0
end
redis.call('HSET', KEYS[1], 'departed', 1)
return 1
