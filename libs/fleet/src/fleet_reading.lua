-- SPDX-License-Identifier: Apache-2.0
--
-- Goes on where fleet_operations.lua ends.

-- ---- for those without circuits: these change nothing, not even the life of a key ----

-- records VERSION MAX -> ok|more: n_records, records
function operations.records()
  local version = take_number('the version', 0, most_number)
  local most = take_number('the maximum', 1, most_items)
  return function()
    local records, up_to, more = changes_after(version, most, true)
    local out = reply(more and 'more' or 'ok')
    if more then out[3] = whole(up_to) end
    out[#out + 1] = whole(#records)
    for _, r in ipairs(records) do add_record(out, r) end
    return out
  end
end

-- record NAME -> ok: record
function operations.record()
  local name = take_name()
  return function() return with_record('ok', read(name, true)) end
end

-- The heartbeats there are; unlike live_instances() it takes nobody out.
local function heartbeats()
  local live = {}
  for _, id in ipairs(call('SMEMBERS', prefix .. 'm')) do
    if call('EXISTS', prefix .. 'm:' .. id) == 1 then live[#live + 1] = id end
  end
  return live
end

-- members -> ok: n, instances
function operations.members()
  return function()
    local live = heartbeats()
    local out = reply('ok')
    out[#out + 1] = whole(#live)
    for _, id in ipairs(live) do out[#out + 1] = id end
    return out
  end
end

-- views NAME -> ok: n, {instance json}
function operations.views()
  local name = take_name()
  return function()
    local out = reply('ok')
    local count = 0
    for _, id in ipairs(heartbeats()) do
      local seen = call('HGET', prefix .. 's:' .. id, name)
      if seen then
        count = count + 1
        out[3 + 2 * count] = id
        out[4 + 2 * count] = seen
      end
    end
    out[4] = whole(count)
    return out
  end
end

-- ---- one run ----

local only_reads = {records = true, record = true, members = true, views = true}
local for_strangers = {sync = true, restore = true, keep = true}

local prepare = op and operations[op]
if not prepare then wrong('no such operation') end
local act = not problem and prepare() or nil
if not problem and at ~= #ARGV then wrong('a wrong number of arguments') end
if problem then return {err = 'ERR ' .. problem} end

local found = look_at_store()
if only_reads[op] then return act() end
if not found then make_store() end
if known_incarnation ~= '' and known_incarnation ~= store.id and not for_strangers[op] then return reply('lost') end
local answer = act()
-- Last: a server that is out of memory refuses a script's first write only, and this one it would let pass.
call('PEXPIRE', prefix .. 'store', whole(keep_ms))
return answer
