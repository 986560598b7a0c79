-- Give a unit back, in windows and ledger. One that is not known is noted as void: its reservation may still be on its
-- way, on a connection that was given up.
-- KEYS: the environment. ARGV: the reservation.
local home, id = KEYS[1], ARGV[1]
local row, now = recall(home)
local unit = reservation(home, now, id)
if not unit then
  local void = {void = true, settled = true, spans = {}, days = {}, forget_at = now + LINGER}
  redis.call('SET', home .. ':held:' .. id, cmsgpack.pack(void), 'PX', LINGER)
end
if not row or not unit or unit.settled then
  return 0
end
for key in pairs(unit.spans) do
  redis.call('ZREM', home .. ':log:' .. key, id)
end
for _, key in ipairs(unit.days) do
  spend(home, key, unit.starts, -1, unit.taken_at, now)
end
charge(home, now, unit.label, unit.field, -1)
redis.call('DEL', home .. ':held:' .. id)
if row.asker == id then
  row.asker, row.closed_until = '', now
end
keep_environment(home, row)
return 1
