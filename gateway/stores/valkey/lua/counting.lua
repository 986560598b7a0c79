-- Charge a unit to its daily windows and to the ledger, and make the row of its reservation, whose slots are still to
-- be taken. What has come free in its logs is forgotten on this occasion.
local function count(home, now, row, claim, field, period, over)
  local spans, days = {}, {}
  for _, limit in ipairs(claim.limits) do
    if limit.daily then
      days[#days + 1] = limit.key
      spend(home, limit.key, period.starts, 1, now, now)
    else
      spans[limit.key] = limit.length + limit.margin
      redis.call('ZREMRANGEBYSCORE', home .. ':log:' .. limit.key, '-inf', now)
    end
  end
  charge(home, now, period.label, field, 1)
  return {
    field = field, taken_at = now, closings = row.closings, spans = spans, days = days, starts = period.starts,
    label = period.label, over = over, lease_ends = now, settled = false,
  }
end
