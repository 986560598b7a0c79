-- Hold on to reservations; the answer lists those that are still held.
-- KEYS: the environment. ARGV: the lease, the reservations.
local home, lease, held = KEYS[1], tonumber(ARGV[1]), {}
local _, now = recall(home)
for at = 2, #ARGV do
  local unit = reservation(home, now, ARGV[at])
  if unit and not unit.settled and unit.lease_ends > now then
    unit.lease_ends = now + lease
    keep_reservation(home, now, ARGV[at], unit)
    held[#held + 1] = ARGV[at]
  end
end
return held
