-- The ledger of an environment: a hash of sums per day, and a sorted set of the days that there are.
local LEDGER_KEPT = 400 * 86400000

local function charge(home, now, day, field, amount)
  local ledger = home .. ':ledger:' .. day
  redis.call('HINCRBY', ledger, field, amount)
  redis.call('PEXPIRE', ledger, LEDGER_KEPT)
  if redis.call('ZADD', home .. ':days', now, day) == 1 then
    redis.call('ZREMRANGEBYSCORE', home .. ':days', '-inf', now - LEDGER_KEPT)
    redis.call('PEXPIRE', home .. ':days', LEDGER_KEPT)
  end
end
