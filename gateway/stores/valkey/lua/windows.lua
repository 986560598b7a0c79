-- How full a window is, and when there is room in it again.
-- A log is a sorted set of reservations by the moment at which their slots come free. A daily window is a hash of units
-- by the start of their period, and by five minutes (those fields begin with '5:').
local BUCKET, HOUR, DAYS_KEPT = 300000, 3600000, 3 * 86400000

local function text(number)
  return string.format('%.0f', number)
end

-- The period that contains now, else the one in the middle: a clock may be days from the asker's.
local function period_of(periods, now)
  for _, period in ipairs(periods) do
    if period.starts <= now and now < period.ends then
      return period
    end
  end
  return periods[math.floor(#periods / 2) + 1]
end

-- How long the period goes on; all of it where now is beside it.
local function ends_in(period, now)
  return period.ends - (period.starts <= now and now < period.ends and now or period.starts)
end

-- The units of a daily window in its period, and those of the last hour.
local function spent(home, key, starts, now)
  local names, newest = {text(starts)}, math.floor(now / BUCKET)
  for bucket = math.floor((now - HOUR) / BUCKET) + 1, newest do
    names[#names + 1] = '5:' .. text(bucket)
  end
  local units = redis.call('HMGET', home .. ':day:' .. key, unpack(names))
  local recent = 0
  for at = 2, #names do
    recent = recent + tonumber(units[at] or 0)
  end
  return tonumber(units[1] or 0), recent
end

-- Add to the units of a period, and to those of the five minutes around `at` (nil: to none); forget what is long over.
local function spend(home, key, starts, units, at, now)
  local day = home .. ':day:' .. key
  local opened = redis.call('HINCRBY', day, text(starts), units) == units
  if at then
    opened = redis.call('HINCRBY', day, '5:' .. text(math.floor(at / BUCKET)), units) == units or opened
  end
  redis.call('PEXPIRE', day, DAYS_KEPT)
  for _, name in ipairs(opened and redis.call('HKEYS', day) or {}) do
    local bucket = string.match(name, '^5:(.*)$')
    if bucket and tonumber(bucket) * BUCKET < now - 2 * HOUR or not bucket and tonumber(name) < starts - DAYS_KEPT then
      redis.call('HDEL', day, name)
    end
  end
end

-- How many slots of a log are taken now. What has come free stays in the set until the next unit is taken.
local function slots(home, key, now)
  return redis.call('ZCOUNT', home .. ':log:' .. key, '(' .. text(now), '+inf')
end

-- When the nth of the taken slots comes free; those that are held might be settled at once.
local function comes_free(home, limit, nth, now)
  local found = redis.call(
    'ZRANGEBYSCORE', home .. ':log:' .. limit.key, '(' .. text(now), '+inf', 'WITHSCORES', 'LIMIT', nth - 1, 1)
  return math.min(tonumber(found[2]) - now, limit.length + limit.margin)
end

-- How far this unit may fill a log now.
local function reach(row, limit, now)
  return limit.adapts and math.floor(limit.upto * holds(row, limit.limit, now) / limit.limit) or limit.upto
end

-- How long there is no room for one more unit; 0 when there is.
local function opens_in(home, row, limit, period, now)
  if limit.daily then
    return spent(home, limit.key, period.starts, now) >= limit.upto and ends_in(period, now) or 0
  end
  if row.cold_until > now then
    return row.cold_until - now
  end
  local upto = reach(row, limit, now)
  if upto <= 0 then
    return limit.adapts and limit.upto > 0 and rises_in(row, now) or limit.length + limit.margin
  end
  local excess = slots(home, limit.key, now) - upto + 1
  return excess > 0 and comes_free(home, limit, excess, now) or 0
end

-- The window as it stands; row is nil where nothing is known of the environment.
local function state(home, row, limit, period, now)
  if limit.daily then
    local used, recent = spent(home, limit.key, period.starts, now)
    return {key = limit.key, limit = limit.limit, used = used, resets_in = ends_in(period, now), recent = recent}
  end
  if not row then
    return {key = limit.key, limit = limit.limit, used = 0, resets_in = 0}
  end
  local size = limit.adapts and holds(row, limit.limit, now) or limit.limit
  if row.cold_until > now then
    return {key = limit.key, limit = size, used = size, resets_in = row.cold_until - now}
  end
  local used = slots(home, limit.key, now)
  return {
    key = limit.key, limit = size, used = used, resets_in = used > 0 and comes_free(home, limit, 1, now) or 0,
  }
end

local function states(home, row, limits, period, now)
  local windows = {}
  for at, limit in ipairs(limits) do
    windows[at] = state(home, row, limit, period, now)
  end
  return windows
end
