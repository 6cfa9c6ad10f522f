-- SPDX-License-Identifier: Apache-2.0
--
-- The truth of a fleet about its circuits: who decides, one operation a run. Redis runs it as one step for everybody else.
-- One script in three files: this one, fleet_operations.lua and fleet_reading.lua, put together in that order.
--
-- ARGV: OP NAMESPACE INCARNATION FRESH_ID KEEP_MS QUARANTINE_MS INSTANCE, then what the operation takes (see `operations`).
--   INCARNATION    of the store as the caller knows it, '' = none. Every operation but sync, restore, keep and the four that
--                  only read answers `lost`, and does nothing, when the store is another one.
--   FRESH_ID       random; names the store if it has to be made, or made anew.
--   KEEP_MS        how long anything is kept that nobody touches.
--   QUARANTINE_MS  how long a store that may have forgotten leases grants none: until everybody with a link has told of his own
-- Reply: a flat array of strings: status, incarnation, version, then what the operation says. Records are 12 strings: name,
-- epoch, state, remaining_ms, attempt, failure_count, successes, cause, reason, owner, by, version. Arguments that are wrong get
-- an error reply and change nothing: everything is looked at before anything is written.
--
-- Keys, all with a time to live, P = sg:{NAMESPACE}: (the braces keep a namespace in one slot):
--   P store          hash: id (incarnation), version, renewed (how far the records' lives were renewed)
--   P quarantine     exists as long as no lease is granted
--   P c:NAME         hash: the record but for remaining_ms, and `timed` (it had a timer)
--   P t:NAME         epoch; its life is the open period or the rest of the override
--   P l:NAME:SLOT    token; a probe's lease. Not by epoch, on purpose: leases of an older epoch keep their slots until they are
--                    given back or run out, so the limit holds across epochs too
--   P o:OPID         an operator's action that was done, for an hour
--   P v:LENGTH:NAME:EPOCH:INSTANCE   a vote; LENGTH (of the name) because names and instances may contain colons
--   P m, P m:INSTANCE   the set of instances and their heartbeats
--   P e:INSTANCE     hash: name -> 'epoch calls failures slow'
--   P s:INSTANCE     hash: name -> what the instance sees, one line of JSON
--   P changes        sorted set: name -> version of its last change
--   P timed          set: the circuits with an override that ends; P looked: somebody looked at them a moment ago
--   P live           how many instances live, for a while, in a large fleet
--   P renewing       exists as long as no records' lives need renewing
--   channel P news   incarnation and the 12 strings, joined by line feeds
--
-- Commands used: GET SET(PX) DEL EXISTS PTTL PEXPIRE HGET HMGET HSET HDEL HGETALL SADD SREM SMEMBERS ZADD
-- ZRANGEBYSCORE(WITHSCORES, LIMIT) PUBLISH. No time of day, no randomness: everything else comes in as arguments.

local op = ARGV[1]
local prefix = 'sg:{' .. (ARGV[2] or '') .. '}:'
local call = redis.call

local most_number = 9007199254740991  -- what a number of Lua holds exactly
local most_ms = 315360000000          -- ten years
local most_items = 10000              -- of one list of one call

-- ---- reading arguments: the first problem is kept; nothing is written while there is one ----

local problem = nil
local at = 7

local function wrong(what)
  if not problem then problem = 'fleet: ' .. what end
end

-- Numbers go to Redis as texts: Lua would write large ones as 1e+15.
local function whole(number) return string.format('%.0f', number) end

local function number_of(text, what, low, high)
  if type(text) ~= 'string' or #text > 17 or not string.find(text, '^%-?%d+$') then
    wrong(what .. ' is no number')
    return low
  end
  local value = tonumber(text)
  if value < low or value > high then
    wrong(what .. ' is out of range')
    return low
  end
  return value
end

local function line_of(text, what, shortest, longest)
  if type(text) ~= 'string' or #text < shortest or #text > longest or string.find(text, '%c') then
    wrong(what .. ' is no line of ' .. shortest .. ' to ' .. longest .. ' bytes')
    return ''
  end
  return text
end

-- Free text is made to fit, not refused: nobody's recovery should hang on what an exception said. Never ends within a character.
local function free_text_of(text, what)
  if type(text) ~= 'string' then
    wrong(what .. ' is missing')
    return ''
  end
  text = string.gsub(text, '%c', ' ')
  if #text > 200 then
    text = string.sub(text, 1, 201)
    repeat
      local last = string.byte(text, #text)
      text = string.sub(text, 1, #text - 1)
    until last < 128 or last >= 192 or #text == 0
  end
  return text
end

local function next_argument()
  at = at + 1
  return ARGV[at]
end
local function take_number(what, low, high) return number_of(next_argument(), what, low, high) end
local function take_line(what, shortest, longest) return line_of(next_argument(), what, shortest, longest) end
local function take_text(what) return free_text_of(next_argument(), what) end
local function take_name() return take_line('the name', 1, 200) end
local function take_choice(what, choices)
  local chosen = next_argument()
  if not chosen or not choices[chosen] then wrong(what .. ' is none of those there are') end
  return chosen
end
local function take_count(what) return take_number(what, 0, most_items) end

local states = {closed = true, open = true, forced_open = true, disabled = true}
local overrides = {forced_open = true, disabled = true}
local actions = {closed = true, forced_open = true, disabled = true}
local causes = {rule = true, manual = true, probe = true, recovered = true, operator = true, evidence = true, none = true}
local verdicts = {success = true, failure = true, none = true}

local known_incarnation = line_of(ARGV[3], 'the incarnation', 0, 64)
local fresh_id = line_of(ARGV[4], 'the fresh id', 1, 64)
local keep_ms = number_of(ARGV[5], 'keep', 1000, most_ms)
local quarantine_ms = number_of(ARGV[6], 'quarantine', 1, most_ms)
local instance = line_of(ARGV[7], 'the instance', 1, 200)
line_of(ARGV[2], 'the namespace', 1, 100)
if ARGV[2] and string.find(ARGV[2], '[{}]') then wrong('the namespace has a brace') end

-- ---- the store ----

local store = {id = '-', version = 0}  -- what there is to say of none, to those who only read

local function begin_quarantine()
  call('SET', prefix .. 'quarantine', '1', 'PX', whole(quarantine_ms))
end

local function look_at_store()
  local found = call('HMGET', prefix .. 'store', 'id', 'version', 'renewed')
  if not found[1] then return false end
  store.id = found[1]
  store.version = tonumber(found[2] or '0')
  store.renewed = found[3]
  return true
end

-- A store that has just been made may follow on one that was lost, with leases in force that nobody knows of.
local function make_store()
  store.id = fresh_id
  -- Numbers never go back, also when only this one key was lost.
  local listed = call('ZRANGEBYSCORE', prefix .. 'changes', '-inf', '+inf', 'WITHSCORES')
  store.version = #listed > 0 and tonumber(listed[#listed]) or 0
  call('HSET', prefix .. 'store', 'id', store.id, 'version', whole(store.version))
  call('PEXPIRE', prefix .. 'store', whole(keep_ms))
  begin_quarantine()
end

-- ---- records ----

local function set_timer(r, ms)
  r.remaining = ms
  r.timed = ms > 0 and '1' or '0'
  if ms > 0 then
    call('SET', prefix .. 't:' .. r.name, whole(r.epoch), 'PX', whole(ms))
  else
    call('DEL', prefix .. 't:' .. r.name)
  end
end

-- Every change of a record ends here: it gets the next version, is listed, and told.
local function write(r)
  store.version = store.version + 1
  r.version = store.version
  local key = prefix .. 'c:' .. r.name
  call('HSET', key, 'epoch', whole(r.epoch), 'state', r.state, 'attempt', whole(r.attempt), 'failure_count',
    whole(r.failure_count), 'successes', whole(r.successes), 'cause', r.cause, 'reason', r.reason, 'owner', r.owner,
    'by', r.by, 'version', whole(r.version), 'timed', r.timed)
  call('PEXPIRE', key, whole(keep_ms))
  call('HSET', prefix .. 'store', 'version', whole(store.version))
  call('ZADD', prefix .. 'changes', whole(r.version), r.name)
  call('PEXPIRE', prefix .. 'changes', whole(keep_ms))
  if overrides[r.state] and r.timed == '1' then
    call('SADD', prefix .. 'timed', r.name)
    call('PEXPIRE', prefix .. 'timed', whole(keep_ms))
  else
    call('SREM', prefix .. 'timed', r.name)
  end
end

local function add_record(list, r)
  local fields = {r.name, whole(r.epoch), r.state, whole(r.remaining), whole(r.attempt), whole(r.failure_count),
    whole(r.successes), r.cause, r.reason, r.owner, r.by, whole(r.version)}
  for i = 1, #fields do list[#list + 1] = fields[i] end
end

local function publish(r)
  local message = {store.id}
  add_record(message, r)
  call('PUBLISH', prefix .. 'news', table.concat(message, '\n'))
end

local function unknown(name)
  return {name = name, epoch = 0, state = 'closed', remaining = -1, attempt = 0, failure_count = 0, successes = 0,
    cause = 'none', reason = '', owner = '', by = '', version = 0, timed = '0', unknown = true}
end

local function close(r, cause, reason, owner, by)
  r.epoch = r.epoch + 1
  r.state = 'closed'
  r.attempt = 0
  r.failure_count = 0
  r.successes = 0
  r.cause = cause
  r.reason = reason
  r.owner = owner
  r.by = by
  set_timer(r, -1)
  write(r)
  publish(r)
end

-- How the circuit is now. `only_look`: nothing is changed; an override whose end has come is then only said to be closed.
local function read(name, only_look)
  local f = call('HMGET', prefix .. 'c:' .. name, 'epoch', 'state', 'attempt', 'failure_count', 'successes', 'cause', 'reason',
    'owner', 'by', 'version', 'timed')
  local r = unknown(name)
  if not f[1] then return r end
  r.unknown = false
  r.epoch = tonumber(f[1])
  r.state = f[2]
  r.attempt = tonumber(f[3])
  r.failure_count = tonumber(f[4])
  r.successes = tonumber(f[5])
  r.cause = f[6]
  r.reason = f[7]
  r.owner = f[8]
  r.by = f[9]
  r.version = tonumber(f[10])
  r.timed = f[11]
  if r.state ~= 'closed' then
    local left = call('PTTL', prefix .. 't:' .. name)
    if r.state == 'open' then
      r.remaining = left > 0 and left or 0
    elseif left > 0 then
      r.remaining = left
    elseif r.timed == '1' then
      if only_look then
        r.state = 'closed'
        r.cause = 'none'
      else
        close(r, 'none', 'the override has ended', '', instance)
      end
    end
  end
  return r
end

local function reply(status)
  return {status, store.id, whole(store.version)}
end

local function with_record(status, r, extra)
  local out = reply(status)
  if extra then out[#out + 1] = extra end
  add_record(out, r)
  return out
end

-- ---- instances ----

-- Those that live, the caller too whether or not it has a heartbeat yet. The dead are taken out of the set.
local function live_instances()
  local live = {}
  for _, id in ipairs(call('SMEMBERS', prefix .. 'm')) do
    if id ~= instance then
      if call('EXISTS', prefix .. 'm:' .. id) == 1 then
        live[#live + 1] = id
      else
        call('SREM', prefix .. 'm', id)
      end
    end
  end
  live[#live + 1] = instance
  return live
end

-- How many live. Whoever counts looks at each of them: in a large fleet, that would be the square of it, each few hundred
-- milliseconds. So there the one who finds no count makes it for all, and the larger the fleet, the longer it stands.
local function live_count()
  local told = call('GET', prefix .. 'live')
  if told then return tonumber(told) end
  local count = #live_instances()
  if count > 50 then call('SET', prefix .. 'live', whole(count), 'PX', whole(math.max(200, count))) end
  return count
end

-- ---- leases ----

local function slot_key(name, slot) return prefix .. 'l:' .. name .. ':' .. whole(slot) end

-- The slot that the token holds, a free one, and how long until the soonest ends.
local function look_at_slots(name, limit, token)
  local free, soonest = nil, nil
  for slot = 1, limit do
    local holder = call('GET', slot_key(name, slot))
    if holder == token then return slot, nil, nil end
    if not holder then
      free = free or slot
    else
      local left = call('PTTL', slot_key(name, slot))
      if not soonest or left < soonest then soonest = left end
    end
  end
  return nil, free, soonest
end

-- A reply to one who has to wait: never 0, that would be a loop.
local function busy(r, ms) return with_record('busy', r, whole(ms > 1 and ms or 1)) end

local function grant(r, slot, token, lease_ms)
  call('SET', slot_key(r.name, slot), token, 'PX', whole(lease_ms))
  return with_record('granted', r, whole(slot))
end
