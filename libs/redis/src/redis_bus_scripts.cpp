// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_scripts.hpp"

#include <switchgear/errors.hpp>

#include <algorithm>
#include <chrono>

namespace switchgear::inline v1::detail {

redis_names::redis_names(const redis_bus_options& o)
    : member(o.queues.member.empty() ? make_uuid() : o.queues.member), channels(o.fleet.empty() ? "" : o.fleet + ":") {
  const std::string prefix = "switchgear:" + channels;
  present = prefix + "present";
  withdrawn = prefix + "withdrawn";
  circuits = prefix + "circuits:";
  own_circuits = circuits + member;
  members = prefix + "members";
  stream = prefix + "transitions";
  const auto kept = std::max(o.lifetime, o.queues.keep_present);
  lifetime = std::to_string(std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(kept).count()));
  stream_length = std::to_string(o.stream_length);
}

namespace redis_scripts {
namespace {

// Sequences are compared as texts: a number of Lua has only 53 bits.
constexpr std::string_view what_is_known = R"(
local function less(one, other)
  return #one < #other or (#one == #other and one < other)
end
local function known(hash, key)
  local value = redis.call('HGET', hash, key)
  if not value then return nil end
  local sequence, told = string.match(value, '^(%d+)/?(%d*)')
  if not sequence then return nil end
  return sequence, told == '' and sequence or told, value
end
)";

// The hash lives longer than the membership, so that whoever finds the membership over can still tell of what was in it.
constexpr std::string_view lives = R"(
local function server_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function lives(hash, members, lifetime, member)
  redis.call('PEXPIRE', hash, 2 * lifetime)
  redis.call('ZADD', members, server_time() + lifetime, member)
end
)";

}  // namespace

// The hash last: a script that fails half-way (no right to write the stream) has to do the rest when it comes again. What is new
// in the hash may be the first there is; of others the next heartbeat will say that they live. A stream that nobody writes to any
// more is gone after a day.
const std::string& transition() {
  static const std::string text = std::string(what_is_known) + std::string(lives) + R"(
local sequence, told, value = known(KEYS[1], ARGV[3])
if sequence and not less(told, ARGV[4]) then return 0 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'event', ARGV[5], 'member', ARGV[2])
redis.call('PEXPIRE', KEYS[3], 86400000)
redis.call('PUBLISH', ARGV[6], ARGV[5])
if sequence and less(ARGV[4], sequence) then
  redis.call('HSET', KEYS[1], ARGV[3], sequence .. '/' .. ARGV[4] .. string.match(value, ' .*'))
elseif redis.call('HSET', KEYS[1], ARGV[3], ARGV[4] .. ' ' .. ARGV[5]) == 1 then
  lives(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
end
return 1
)";
  return text;
}

const std::string& present() {
  static const std::string text = std::string(what_is_known) + std::string(lives) + R"(
for i = 4, #ARGV, 3 do
  local sequence, told = known(KEYS[1], ARGV[i])
  if not sequence or less(sequence, ARGV[i + 1]) then
    redis.call('PUBLISH', ARGV[3], ARGV[i + 2])
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. '/' .. (told or '0') .. ' ' .. ARGV[i + 2])
  end
end
lives(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
return 1
)";
  return text;
}

const std::string& withdraw() {
  static const std::string text = R"(
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
)";
  return text;
}

const std::string& heartbeat() {
  static const std::string text = std::string(lives) + R"(
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', server_time(), 'LIMIT', 0, 16)) do
  redis.call('ZREM', KEYS[2], gone)
  if gone ~= ARGV[2] or ARGV[5] == '1' then
    for _, key in ipairs(redis.call('HKEYS', ARGV[4] .. gone)) do redis.call('PUBLISH', ARGV[3], key) end
    redis.call('DEL', ARGV[4] .. gone)
  end
end
local known = redis.call('HLEN', KEYS[1])
if known > 0 then lives(KEYS[1], KEYS[2], ARGV[1], ARGV[2]) end
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
return {known, last[1] and last[1][1] or '0-0'}
)";
  return text;
}

const std::string& leave() {
  static const std::string text = R"(
for _, key in ipairs(redis.call('HKEYS', KEYS[1])) do redis.call('PUBLISH', ARGV[2], key) end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
)";
  return text;
}

}  // namespace redis_scripts

}  // namespace switchgear::inline v1::detail
