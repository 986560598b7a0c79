-- Ask to be the one that tries an open circuit.
-- KEYS: its hash. ARGV: holder, lease.
local holder, lease = ARGV[1], tonumber(ARGV[2])
local now = clock()
local circuit = redis.call('HMGET', KEYS[1], 'ends', 'holder', 'lease')
local ends = tonumber(circuit[1])
if not ends then
  return {'closed', 0}
end
if now < ends then
  return {'open', ends - now}
end
if circuit[2] and circuit[2] ~= holder and now < tonumber(circuit[3]) then
  return {'open', tonumber(circuit[3]) - now}
end
redis.call('HSET', KEYS[1], 'holder', holder, 'lease', now + lease)
return {'probe', 0}
