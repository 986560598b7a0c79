-- Open a circuit.
-- KEYS: its hash. ARGV: base, longest, jitter.
-- The hash: times, how often it was opened in a row; ends, when it may be tried; holder and lease of the one who tries.
local base, longest, jitter = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = clock()
local circuit = redis.call('HMGET', KEYS[1], 'times', 'ends')
local ends = tonumber(circuit[2] or 0)
if now < ends then
  return ends - now
end
local times = tonumber(circuit[1] or 0)
local pause = math.floor(math.min(longest, base * 2 ^ times) * jitter)
redis.call('HSET', KEYS[1], 'times', times + 1, 'ends', now + pause)
redis.call('HDEL', KEYS[1], 'holder', 'lease')
-- One that nobody tried for a day is as good as never opened.
redis.call('PEXPIRE', KEYS[1], pause + 86400000)
return pause
