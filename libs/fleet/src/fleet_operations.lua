-- SPDX-License-Identifier: Apache-2.0
--
-- Goes on where fleet.lua ends.

-- ---- operations: each reads its arguments and gives the function that does it ----

local operations = {}

-- Lives of records are renewed while anybody of the fleet is there, a slice at a time: a record that were forgotten would begin
-- again at epoch 0, which those who know better would never follow.
local function renew_records()
  if call('EXISTS', prefix .. 'renewing') == 1 then return end
  local slice = 500
  local from = store.renewed or '0'
  local listed = call('ZRANGEBYSCORE', prefix .. 'changes', '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', '0', whole(slice))
  for i = 1, #listed, 2 do call('PEXPIRE', prefix .. 'c:' .. listed[i], whole(keep_ms)) end
  local more = #listed == 2 * slice
  call('HSET', prefix .. 'store', 'renewed', more and listed[#listed] or '0')
  call('SET', prefix .. 'renewing', '1', 'PX', whole(more and 100 or math.floor(keep_ms / 4)))
end

-- Overrides end by themselves, also of circuits that nobody asks about. All instances together look a few times a second.
local function end_overrides()
  local names = call('SMEMBERS', prefix .. 'timed')
  if #names == 0 or call('EXISTS', prefix .. 'looked') == 1 then return end
  call('SET', prefix .. 'looked', '1', 'PX', '200')
  call('PEXPIRE', prefix .. 'timed', whole(keep_ms))
  for _, name in ipairs(names) do read(name) end
end

-- Changes after `version`, `most` at most; the version up to which there are no others, and whether there are more.
local function changes_after(version, most, only_look)
  local listed = call('ZRANGEBYSCORE', prefix .. 'changes', '(' .. whole(version), '+inf', 'WITHSCORES', 'LIMIT', '0',
    whole(most + 1))
  local records, up_to = {}, version
  local count = #listed / 2
  for i = 1, math.min(count, most) do
    up_to = tonumber(listed[2 * i])
    local r = read(listed[2 * i - 1], only_look)
    if not r.unknown then records[#records + 1] = r end
  end
  return records, up_to, count > most
end

-- sync VERSION MEMBER_TTL_MS MAX EVIDENCE_TTL_MS N_EV {name epoch calls failures slow} N_SIGHT {name json} N_ASK {name epoch}
-- -> ok|more|all: members, n_records, records, n_sums, {name calls failures slow}
-- The evidence is the whole of the caller's and takes the place of what it said before; of sights only the named ones change, an
-- empty JSON takes one away. Sums are of the other living instances, for every name asked, in that order.
-- A caller that is a stranger (another incarnation, or none) gets everything there is, as if its version were 0.
function operations.sync()
  local version = take_number('the version', 0, most_number)
  local member_ttl = take_number('the life of a member', 1, most_ms)
  local most = take_number('the maximum', 1, most_items)
  local evidence_ttl = take_number('the life of evidence', 1, most_ms)
  local evidence, sights, asked = {}, {}, {}
  for i = 1, take_count('the number of evidence') do
    local name = take_name()
    local line = {}
    for j = 1, 4 do line[j] = whole(take_number('evidence', 0, most_number)) end
    evidence[i] = {name, table.concat(line, ' ')}
    if problem then return nil end
  end
  for i = 1, take_count('the number of sights') do
    sights[i] = {take_name(), take_line('a sight', 0, 4096)}
    if problem then return nil end
  end
  for i = 1, take_count('the number of questions') do
    asked[i] = {take_name(), whole(take_number('the epoch', 0, most_number))}
    if problem then return nil end
  end
  return function()
    local stranger = known_incarnation ~= store.id
    if not stranger and version > store.version then
      -- The store went back in time: an old copy has taken over, which does not know the latest leases.
      store.id = fresh_id
      call('HSET', prefix .. 'store', 'id', store.id)
      begin_quarantine()
      stranger = true
    end
    call('SET', prefix .. 'm:' .. instance, '1', 'PX', whole(member_ttl))
    call('SADD', prefix .. 'm', instance)
    call('PEXPIRE', prefix .. 'm', whole(keep_ms))
    call('PEXPIRE', prefix .. 'changes', whole(keep_ms))
    call('DEL', prefix .. 'e:' .. instance)
    for _, e in ipairs(evidence) do call('HSET', prefix .. 'e:' .. instance, e[1], e[2]) end
    call('PEXPIRE', prefix .. 'e:' .. instance, whole(evidence_ttl))
    for _, s in ipairs(sights) do
      if s[2] == '' then
        call('HDEL', prefix .. 's:' .. instance, s[1])
      else
        call('HSET', prefix .. 's:' .. instance, s[1], s[2])
      end
    end
    -- Longer than the heartbeat: whoever comes back after a pause need not tell everything again.
    call('PEXPIRE', prefix .. 's:' .. instance, whole(10 * member_ttl))
    renew_records()
    end_overrides()

    local live = #asked > 0 and live_instances() or nil
    local records, up_to, more = changes_after(stranger and 0 or version, most)
    local out = reply(stranger and 'all' or (more and 'more' or 'ok'))
    if more then out[3] = whole(up_to) end
    out[#out + 1] = whole(live and #live or live_count())
    out[#out + 1] = whole(#records)
    for _, r in ipairs(records) do add_record(out, r) end

    local sums = {}
    for _, a in ipairs(asked) do sums[a[1]] = {epoch = a[2], calls = 0, failures = 0, slow = 0} end
    if #asked > 0 then
      for _, id in ipairs(live) do
        local told = id ~= instance and call('HGETALL', prefix .. 'e:' .. id) or {}
        for i = 1, #told, 2 do
          local sum = sums[told[i]]
          local epoch, calls, failures, slow = string.match(told[i + 1], '^(%d+) (%d+) (%d+) (%d+)$')
          if sum and epoch == sum.epoch then
            sum.calls = sum.calls + tonumber(calls)
            sum.failures = sum.failures + tonumber(failures)
            sum.slow = sum.slow + tonumber(slow)
          end
        end
      end
    end
    out[#out + 1] = whole(#asked)
    for _, a in ipairs(asked) do
      local sum = sums[a[1]]
      out[#out + 1] = a[1]
      out[#out + 1] = whole(sum.calls)
      out[#out + 1] = whole(sum.failures)
      out[#out + 1] = whole(sum.slow)
    end
    return out
  end
end

-- open NAME EPOCH NEED_COUNT NEED_PPM WITHIN_MS DURATION_MS ATTEMPT FAILURE_COUNT CAUSE REASON -> done|voted|stale: record
-- Enough are NEED_COUNT votes (0: the count does not matter) or NEED_PPM millionths of those who live (0: the share does not).
function operations.open()
  local name = take_name()
  local epoch = take_number('the epoch', 0, most_number - 1)
  local need_count = take_number('the votes needed', 0, most_number)
  local need_ppm = take_number('the share needed', 0, 1000000)
  local within = take_number('how long a vote counts', 1, most_ms)
  local duration = take_number('the open period', 0, most_ms)
  local attempt = take_number('the attempt', 0, most_number)
  local failure_count = take_number('the failure count', 0, most_number)
  local cause = take_choice('the cause', causes)
  local reason = take_text('the reason')
  if need_count == 0 and need_ppm == 0 then wrong('an opening needs votes') end
  return function()
    local r = read(name)
    -- A circuit without a record is closed, at whatever epoch the caller knows it to be.
    if r.unknown then r.epoch = epoch end
    if r.epoch ~= epoch or r.state ~= 'closed' then return with_record('stale', r) end
    if need_count ~= 1 then
      local ballot = prefix .. 'v:' .. whole(#name) .. ':' .. name .. ':' .. whole(epoch) .. ':'
      call('SET', ballot .. instance, '1', 'PX', whole(within))
      local live = live_instances()
      local votes = 0
      for _, id in ipairs(live) do votes = votes + call('EXISTS', ballot .. id) end
      local by_count = need_count > 0 and votes >= need_count
      local by_share = need_ppm > 0 and votes * 1000000 >= need_ppm * #live
      if not by_count and not by_share then return with_record('voted', r) end
    end
    r.epoch = epoch + 1
    r.state = 'open'
    r.attempt = attempt
    r.failure_count = failure_count
    r.successes = 0
    r.cause = cause
    r.reason = reason
    r.owner = ''
    r.by = instance
    set_timer(r, duration)
    write(r)
    publish(r)
    return with_record('done', r)
  end
end

-- lease NAME EPOCH LIMIT LEASE_MS TOKEN -> granted SLOT | busy WAIT_MS | stale: record
function operations.lease()
  local name = take_name()
  local epoch = take_number('the epoch', 0, most_number)
  local limit = take_number('the limit', 1, 1000)
  local lease_ms = take_number('the lease', 1, most_ms)
  local token = take_line('the token', 1, 200)
  return function()
    local r = read(name)
    if r.epoch ~= epoch or r.state ~= 'open' then return with_record('stale', r) end
    local held, free, soonest = look_at_slots(name, limit, token)
    if held then return with_record('granted', r, whole(held)) end
    if r.remaining > 0 then return busy(r, r.remaining) end
    local quarantine = call('PTTL', prefix .. 'quarantine')
    if quarantine >= 0 then return busy(r, quarantine) end
    if not free then return busy(r, soonest) end
    return grant(r, free, token, lease_ms)
  end
end

-- keep NAME EPOCH LIMIT LEASE_MS TOKEN -> granted SLOT | busy WAIT_MS: record
-- A lease that the caller still holds and the store may have lost. The quarantine is there to let these come first. LEASE_MS is
-- what is left of it; a lease that the store knows is left as it is. The epoch is not looked at: the probe is on its way.
function operations.keep()
  local name = take_name()
  take_number('the epoch', 0, most_number)
  local limit = take_number('the limit', 1, 1000)
  local lease_ms = take_number('the lease', 1, most_ms)
  local token = take_line('the token', 1, 200)
  return function()
    local r = read(name)
    local held, free, soonest = look_at_slots(name, limit, token)
    if held then return with_record('granted', r, whole(held)) end
    if not free then return busy(r, soonest) end
    return grant(r, free, token, lease_ms)
  end
end

-- verdict NAME EPOCH SLOT TOKEN success|failure|none THRESHOLD DURATION_MS ATTEMPT FAILURE_COUNT REASON -> done|stale: record
-- Gives the lease back, whatever the epoch. Whoever does not hold it (any more) says nothing new, so saying it twice counts once.
function operations.verdict()
  local name = take_name()
  local epoch = take_number('the epoch', 0, most_number - 1)
  local slot = take_number('the slot', 1, 1000)
  local token = take_line('the token', 1, 200)
  local outcome = take_choice('the verdict', verdicts)
  local threshold = take_number('the threshold', 1, most_number)
  local duration = take_number('the open period', 0, most_ms)
  local attempt = take_number('the attempt', 0, most_number)
  local failure_count = take_number('the failure count', 0, most_number)
  local reason = take_text('the reason')
  return function()
    local r = read(name)
    if call('GET', slot_key(name, slot)) ~= token then return with_record('stale', r) end
    call('DEL', slot_key(name, slot))
    if r.epoch ~= epoch or r.state ~= 'open' then return with_record('stale', r) end
    if outcome == 'success' then
      r.successes = r.successes + 1
      if r.successes >= threshold then
        close(r, 'recovered', reason, '', instance)
      else
        write(r)
        publish(r)
      end
    elseif outcome == 'failure' then
      r.epoch = epoch + 1
      r.attempt = attempt
      r.failure_count = failure_count
      r.successes = 0
      r.cause = 'probe'
      r.reason = reason
      r.owner = ''
      r.by = instance
      set_timer(r, duration)
      write(r)
      publish(r)
    end
    return with_record('done', r)
  end
end

-- recovered NAME EPOCH REASON -> done|stale: record. By its own probe, while the store was out of reach. It may not be due yet by
-- the time of the store: clocks differ.
function operations.recovered()
  local name = take_name()
  local epoch = take_number('the epoch', 0, most_number - 1)
  local reason = take_text('the reason')
  return function()
    local r = read(name)
    if r.epoch ~= epoch or r.state ~= 'open' then return with_record('stale', r) end
    close(r, 'recovered', reason, '', instance)
    return with_record('done', r)
  end
end

-- operate NAME OPID forced_open|disabled|closed TTL_MS OWNER REASON -> done: record. TTL_MS -1: without an end.
function operations.operate()
  local name = take_name()
  local id = take_line('the id of the action', 1, 64)
  local state = take_choice('the action', actions)
  local ttl = take_number('the life of the override', -1, most_ms)
  local owner = take_text('the owner')
  local reason = take_text('the reason')
  if ttl == 0 then wrong('an override lasts') end
  return function()
    local r = read(name)
    -- Whoever is not sure whether it was heard says it again, when others may have acted since.
    local said = prefix .. 'o:' .. id
    if call('EXISTS', said) == 1 then return with_record('done', r) end
    call('SET', said, '1', 'PX', '3600000')
    if state == 'closed' then
      close(r, 'operator', reason, owner, instance)
      return with_record('done', r)
    end
    r.epoch = r.epoch + 1
    r.state = state
    r.attempt = 0
    r.failure_count = 0
    r.successes = 0
    r.cause = 'operator'
    r.reason = reason
    r.owner = owner
    r.by = instance
    set_timer(r, ttl)
    write(r)
    publish(r)
    return with_record('done', r)
  end
end

-- restore N {record} -> done. What the caller knows and the store has lost: taken over where the store's epoch is smaller. Where
-- the epochs are the same and the states are not, two decisions have got one number, in two lives of the store: that of the
-- store stays, with a new number, so that everybody follows it.
function operations.restore()
  local records = {}
  for i = 1, take_count('the number of records') do
    local r = unknown(take_name())
    r.epoch = take_number('the epoch', 0, most_number - 1)
    r.state = take_choice('the state', states)
    r.remaining = take_number('what remains', -1, most_ms)
    r.attempt = take_number('the attempt', 0, most_number)
    r.failure_count = take_number('the failure count', 0, most_number)
    r.successes = take_number('the successes', 0, most_number)
    r.cause = take_choice('the cause', causes)
    r.reason = take_text('the reason')
    r.owner = take_text('the owner')
    r.by = line_of(next_argument(), 'who decided', 0, 200)
    take_number('the version', 0, most_number)
    if problem then return nil end
    records[i] = r
  end
  return function()
    local taken = false
    for _, r in ipairs(records) do
      local mine = read(r.name)
      if mine.epoch == r.epoch and mine.state ~= r.state then
        mine.epoch = mine.epoch + 1
        mine.successes = 0
        write(mine)
        publish(mine)
      elseif mine.epoch < r.epoch then
        -- An override that has just run out gets its last moment: then it ends as all do.
        if overrides[r.state] and r.remaining == 0 then r.remaining = 1 end
        set_timer(r, r.state == 'closed' and -1 or r.remaining)
        write(r)
        publish(r)
        taken = true
      end
    end
    -- Who has forgotten decisions has forgotten leases, also an old copy of this very store that nobody took for one.
    if taken then begin_quarantine() end
    return reply('done')
  end
end

-- leave -> done. The caller's heartbeat, evidence and sights go.
function operations.leave()
  return function()
    call('DEL', prefix .. 'm:' .. instance, prefix .. 'e:' .. instance, prefix .. 's:' .. instance)
    call('SREM', prefix .. 'm', instance)
    return reply('done')
  end
end
