-- Claim an idempotency key, or learn what became of it.
-- KEYS: the key's hash. ARGV: the asking's name, fingerprint, lease, keep.
-- The hash: fingerprint; asking and fence of the newest run; running, and its lease_ends; departed, this run may have
-- sent something; doubtful, an earlier one may have, or this one ended without knowing; answer.
local asking, fingerprint, lease, keep = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = clock()
local run = redis.call(
  'HMGET', KEYS[1], 'fingerprint', 'asking', 'fence', 'running', 'lease_ends', 'departed', 'doubtful', 'answer')
local known, fence, running, answer = run[1], tonumber(run[3] or 0), run[4] == '1', run[8]
local departed, doubtful = run[6] == '1', run[7] == '1'

if known and known ~= fingerprint then
  return {'mismatch', 0, false}
end
if running and run[2] == asking then
  return {doubtful and 'doubtful' or 'begun', fence, answer}
end
if running and now < tonumber(run[5]) then
  return {'running', tonumber(run[5]) - now, false}
end
if known and not running and not doubtful then
  return {'done', 0, answer}
end

-- The time in microseconds: newer than any fence that this key ever had, even one that is forgotten.
local time = redis.call('TIME')
fence = math.max(fence + 1, time[1] * 1000000 + time[2])
doubtful = departed or doubtful
redis.call(
  'HSET', KEYS[1], 'fingerprint', fingerprint, 'asking', asking, 'fence', fence, 'running', 1,
  'lease_ends', now + lease, 'departed', 0, 'doubtful', doubtful and 1 or 0)
if not doubtful then
  redis.call('PEXPIRE', KEYS[1], keep)
end
return {doubtful and 'doubtful' or 'begun', fence, answer}
