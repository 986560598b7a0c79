-- What is known of an environment: the hash of its name, and the reservations that are remembered.
-- The hash: epoch; run, the server's run that knows it; last, the latest moment of a step, at which the server's clock
-- stood at seen; cold_until, until when its
-- logs count as full; and what the upstream's refusals have done (throttle.lua).
local ENVIRONMENT_KEPT = 400 * 86400000
local LINGER, LINGER_LONG = 60000, 86400000
local TEXTS = {'epoch', 'run', 'asker'}
local NUMBERS = {
  'last', 'seen', 'cold_until', 'closed_until', 'closings', 'struck', 'strikes', 'lowered', 'whole', 'window', 'rises_from',
}

-- The moment of this step. Time does not go back: where the server's clock has been set back, time goes on from the last
-- moment, a tenth slower, until the clock has come up with it. It is counted in stretches of a second or more, since
-- of each a part of a millisecond is lost.
local function moment(row)
  local now = clock()
  if now >= row.last then
    row.last, row.seen = now, now
    return now
  end
  row.seen = math.min(row.seen, now)
  local time = row.last + math.floor((now - row.seen) * 9 / 10)
  if now - row.seen >= 1000 then
    row.last, row.seen = time, now
  end
  return time
end

-- The environment or nil, and the moment.
local function recall(home)
  local texts, numbers = redis.call('HMGET', home, unpack(TEXTS)), redis.call('HMGET', home, unpack(NUMBERS))
  local row = {}
  if not texts[1] then
    return nil, clock()
  end
  for at, name in ipairs(TEXTS) do
    row[name] = texts[at] or ''
  end
  for at, name in ipairs(NUMBERS) do
    row[name] = tonumber(numbers[at] or 0)
  end
  return row, moment(row)
end

local function keep_environment(home, row)
  local fields = {}
  for _, names in ipairs({TEXTS, NUMBERS}) do
    for _, name in ipairs(names) do
      fields[#fields + 1] = name
      fields[#fields + 1] = row[name]
    end
  end
  redis.call('HSET', home, unpack(fields))
  redis.call('PEXPIRE', home, ENVIRONMENT_KEPT)
end

-- Begin a new memory where there is none, and also where the server has been started again or replaced since: what
-- it still knows is kept, but its last moments may be missing.
local function known(home, row, now, cold, epoch)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
  if row and row.run == run then
    redis.call('HSET', home, 'last', row.last, 'seen', row.seen)
    return row
  end
  row = row or {
    last = now, seen = now, asker = '', closed_until = 0, closings = 0, struck = 0, strikes = 0, lowered = 0, whole = 0, window = 1,
    rises_from = 0,
  }
  row.epoch, row.run, row.cold_until = epoch, run, now + cold
  keep_environment(home, row)
  return row
end

-- A reservation: field, where its account stands in the ledger; taken_at, after so many closings; spans, the logs it
-- has a slot in with length and margin together; days, the daily windows it counts in, by the period that starts then;
-- label; over; lease_ends; settled; forget_at. One that is void was given back before it was taken.
local function reservation(home, now, id)
  local packed = redis.call('GET', home .. ':held:' .. id)
  local row = packed and cmsgpack.unpack(packed)
  return row and row.forget_at > now and row or nil
end

-- Keep the row until it cannot matter any more, and its slots for their spans after the lease. Who lost a reply may lose
-- the server with it, for much longer than a slot is taken, before it can say what became of a unit (`long`).
local function keep_reservation(home, now, id, row, long)
  local rest = (long or not row.settled) and LINGER_LONG or LINGER
  for key, span in pairs(row.spans) do
    local log, free_at = home .. ':log:' .. key, row.lease_ends + span
    local free_in = math.max(1, free_at - now)
    rest = math.max(rest, span)
    redis.call('ZADD', log, free_at, id)
    if redis.call('PTTL', log) < free_in then
      redis.call('PEXPIRE', log, free_in)
    end
  end
  row.forget_at = math.max(now, row.lease_ends) + rest
  redis.call('SET', home .. ':held:' .. id, cmsgpack.pack(row), 'PX', row.forget_at - now)
end
