-- Add figures to the ledger, all of them once per entry id.
-- KEYS: the environment. ARGV: the entry's id; a list of day, field and amount.
local home = KEYS[1]
if redis.call('SET', home .. ':added:' .. ARGV[1], 1, 'NX', 'PX', 3600000) then
  local now = clock()
  for _, sum in ipairs(cmsgpack.unpack(ARGV[2])) do
    charge(home, now, sum[1], sum[2], sum[3])
  end
end
return 1
