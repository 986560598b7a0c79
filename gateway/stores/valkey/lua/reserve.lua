-- Take a unit in every window, or in none.
-- KEYS: the environment. ARGV: the claim; where its account stands in the ledger; a name for a new epoch.
local home, claim, field = KEYS[1], cmsgpack.unpack(ARGV[1]), ARGV[2]
local row, now = recall(home)
local period = period_of(claim.periods, now)
if not period then
  return false
end
row = known(home, row, now, claim.cold, ARGV[3])

local function full(limit, wait)
  return cmsgpack.pack({full = {limit = limit, opens_in = wait, epoch = row.epoch}})
end

local function taken(unit)
  unit.lease_ends = now + claim.lease
  keep_reservation(home, now, claim.reservation, unit)
end

local function reserved(over)
  local windows = states(home, row, claim.limits, period, now)
  return cmsgpack.pack({reserved = {windows = windows, epoch = row.epoch, over = over}})
end

local before = reservation(home, now, claim.reservation)
if before and before.void then
  return full('upstream', claim.lease)
end
-- One whose lease is over is asked for anew: others may have its slots by now, and its day stays spent.
if before and (before.settled or before.lease_ends > now) then
  if not before.settled then
    taken(before)
  end
  return reserved(before.over)
end

local closed = closed_for(home, row, now)
if closed > 0 then
  return full('upstream', closed)
end

local longest, longest_key, over = 0, nil, {}
for _, limit in ipairs(claim.limits) do
  local wait = opens_in(home, row, limit, period, now)
  if wait > 0 and not limit.enforced then
    over[#over + 1] = limit.key
  elseif wait > longest then
    longest, longest_key = wait, limit.key
  end
end
if longest_key then
  return full(longest_key, longest)
end

if asking(row) then
  row.asker, row.closed_until = claim.reservation, now + ask_every(row.strikes)
  keep_environment(home, row)
end
taken(count(home, now, row, claim, field, period, over))
return reserved(over)
