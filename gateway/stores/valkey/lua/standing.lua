-- How full the windows of an environment are; changes nothing.
-- KEYS: the environment. ARGV: limits, periods.
local home, limits, periods = KEYS[1], cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2])
local row, now = recall(home)
local period = period_of(periods, now)
for _, limit in ipairs(limits) do
  if limit.daily and not period then
    return false
  end
end
local windows = states(home, row, limits, period, now)
for at, limit in ipairs(limits) do
  local span = limit.length + limit.margin
  if not limit.daily and span >= HOUR then
    -- The slots that come free in the last hour of its span, and those that are held.
    windows[at].recent = slots(home, limit.key, now + span - HOUR)
  end
end
return cmsgpack.pack({
  windows = windows,
  closed_for = row and closed_for(home, row, now) or 0,
  strikes = row and row.strikes or 0,
  epoch = row and row.epoch or '',
})
