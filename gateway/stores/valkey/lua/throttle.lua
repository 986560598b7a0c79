-- What the upstream's own refusals for its quota do to an environment: closing, holding less, asking now and then.
-- Nothing passes until closed_until. closings counts the refusals, struck is that count after the last strike: the
-- refusal of a unit that was taken since the strike before. strikes are those in a row. asker is the reservation that
-- was let through to ask. What adapts held `lowered` of `whole` at rises_from, and rises by a tenth with each window.
local ASKING_FROM, ASK_EVERY, ASK_AT_LEAST_EVERY = 3, 60000, 900000

local function asking(row)
  return row.strikes >= ASKING_FROM
end

local function ask_every(strikes)
  return math.min(ASK_EVERY * 2 ^ math.min(strikes - ASKING_FROM, 10), ASK_AT_LEAST_EVERY)
end

-- What a window of this limit that adapts holds now: at least 1.
local function holds(row, limit, now)
  if row.whole == 0 then
    return limit
  end
  local windows = math.floor(math.max(0, now - row.rises_from) / math.max(1, row.window))
  local risen = math.min(row.whole, row.lowered + windows * math.ceil(row.whole / 10))
  return math.max(1, math.floor(limit * risen / row.whole))
end

-- How long until what adapts holds more.
local function rises_in(row, now)
  local window = math.max(1, row.window)
  if now < row.rises_from then
    return row.rises_from + window - now
  end
  return window - (now - row.rises_from) % window
end

-- The upstream refused a unit that was taken after so many closings (-1: nobody knows when).
local function refused(row, told, closings, now)
  local pause = told.retry_after or told.window
  row.closings = row.closings + 1
  if closings < row.struck then
    row.closed_until = math.max(row.closed_until, now + pause)
    return
  end
  local asked = asking(row)
  row.strikes, row.struck, row.asker = row.strikes + 1, row.closings, ''
  if asking(row) then
    pause = math.max(pause, ask_every(row.strikes))
  end
  row.closed_until = math.max(row.closed_until, now + pause)
  -- A unit that only asked says nothing about the burst: what that holds stays as it is.
  if not asked then
    row.lowered = math.max(1, math.floor(holds(row, told.limit, now) / 2))
    row.whole, row.window, row.rises_from = told.limit, told.window, row.closed_until
  end
end

-- The upstream did not refuse a unit that was taken after so many closings: open, if it is the newest word.
local function answered(row, closings, now)
  if closings == row.closings and row.strikes > 0 then
    row.strikes, row.asker, row.closed_until = 0, '', math.min(row.closed_until, now)
  end
end

-- How long the upstream wants to be left alone, or one that asks is still under way.
local function closed_for(home, row, now)
  if row.closed_until > now then
    return row.closed_until - now
  end
  local asker = asking(row) and row.asker ~= '' and reservation(home, now, row.asker)
  return asker and not asker.settled and math.max(0, asker.lease_ends - now) or 0
end
