-- Take over what another memory knows: days to at least what was spent, then each unit once.
-- KEYS: the environment. ARGV: cold; what was spent; units as {claim, how long their slots stay, where their account
-- stands in the ledger, whether they have ended}; a name for a new epoch.
local home, spent_elsewhere, units = KEYS[1], cmsgpack.unpack(ARGV[2]), cmsgpack.unpack(ARGV[3])
local row, now = recall(home)
row = known(home, row, now, tonumber(ARGV[1]), ARGV[4])
for _, day in ipairs(spent_elsewhere) do
  local missing = day.used - spent(home, day.key, day.starts, now)
  if missing > 0 then
    spend(home, day.key, day.starts, missing, nil, now)
  end
end
for _, taken in ipairs(units) do
  local claim, held_for, field, ended = taken[1], taken[2], taken[3], taken[4]
  local period = period_of(claim.periods, now)
  local unit = reservation(home, now, claim.reservation) or count(home, now, row, claim, field, period, {})
  if not unit.settled then
    local longest = 0
    for _, span in pairs(unit.spans) do
      longest = math.max(longest, span)
    end
    unit.settled, unit.lease_ends = ended, now + held_for - longest
    keep_reservation(home, now, claim.reservation, unit, true)
  end
end
return row.epoch
