-- The answer to a unit is there: its slots start on their way out.
-- KEYS: the environment. ARGV: the reservation; what the upstream said of its quota, or an empty text.
local home, id = KEYS[1], ARGV[1]
local row, now = recall(home)
local unit = reservation(home, now, id)
if not row or unit and unit.settled then
  return 0
end
local closings = unit and unit.closings or -1
if ARGV[2] ~= '' then
  refused(row, cmsgpack.unpack(ARGV[2]), closings, now)
else
  answered(row, closings, now)
end
keep_environment(home, row)
if unit then
  unit.settled, unit.lease_ends = true, now
  keep_reservation(home, now, id, unit)
end
return 1
