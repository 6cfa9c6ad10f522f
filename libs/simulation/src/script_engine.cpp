// SPDX-License-Identifier: Apache-2.0
#include "script_engine.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include <lua.hpp>

namespace switchgear::inline v1::simulation {
namespace {

constexpr int most_words = 256;

/// A number among the words of a command, as Redis writes it.
std::string_view number_word(double n, std::array<char, 40>& room) {
  const int size = std::snprintf(room.data(), room.size(), "%.17g", n);
  return {room.data(), static_cast<std::size_t>(size)};
}

void push_named(lua_State* state, const char* name, const std::string& text) {
  lua_createtable(state, 0, 1);
  lua_pushlstring(state, text.data(), text.size());
  lua_setfield(state, -2, name);
}

void push(lua_State* state, const store_value& v) {
  using kind = store_value::kind;
  switch (v.is) {
    case kind::nil: lua_pushboolean(state, 0); return;
    case kind::integer: lua_pushnumber(state, static_cast<lua_Number>(v.number)); return;
    case kind::text: lua_pushlstring(state, v.text.data(), v.text.size()); return;
    case kind::status: push_named(state, "ok", v.text); return;
    case kind::error: push_named(state, "err", v.text); return;
    case kind::array: break;
  }
  lua_createtable(state, static_cast<int>(v.items.size()), 0);
  int at = 0;
  for (const auto& item : v.items) {
    push(state, item);
    lua_rawseti(state, -2, ++at);
  }
}

/// The value on top of the stack, which stays there.
store_value value_of(lua_State* state) {
  const auto text_at = [&](int index) {
    std::size_t size = 0;
    const char* const s = lua_tolstring(state, index, &size);
    return std::string(s, size);
  };
  switch (lua_type(state, -1)) {
    case LUA_TSTRING: return store_value::of(text_at(-1));
    case LUA_TNUMBER: return store_value::of(static_cast<std::int64_t>(lua_tonumber(state, -1)));
    case LUA_TBOOLEAN: return lua_toboolean(state, -1) != 0 ? store_value::of(1) : store_value{};
    case LUA_TTABLE: break;
    default: return {};
  }
  for (const char* name : {"err", "ok"}) {
    lua_pushstring(state, name);
    lua_rawget(state, -2);
    const bool named = lua_type(state, -1) == LUA_TSTRING;
    store_value out;
    if (named) out = {*name == 'e' ? store_value::kind::error : store_value::kind::status, 0, text_at(-1), {}};
    lua_pop(state, 1);
    if (named) return out;
  }
  store_value out = store_value::list();
  for (int i = 1;; ++i) {
    lua_rawgeti(state, -1, i);
    const bool end = lua_isnil(state, -1);
    if (!end) out.items.push_back(value_of(state));
    lua_pop(state, 1);
    if (end) return out;
  }
}

int error_reply(lua_State* state) {
  lua_createtable(state, 0, 1);
  lua_pushvalue(state, 1);
  lua_setfield(state, -2, "err");
  return 1;
}

int status_reply(lua_State* state) {
  lua_createtable(state, 0, 1);
  lua_pushvalue(state, 1);
  lua_setfield(state, -2, "ok");
  return 1;
}

/// The text of what was raised: a text, or a table as redis.error_reply makes it.
std::string raised(lua_State* state) {
  if (lua_istable(state, -1)) {
    lua_getfield(state, -1, "err");
    const char* const s = lua_tostring(state, -1);
    std::string out = s == nullptr ? "ERR" : s;
    lua_pop(state, 1);
    return out;
  }
  const char* const s = lua_tostring(state, -1);
  return s == nullptr ? "ERR" : std::string("ERR ") + s;
}

}  // namespace

script_engine::script_engine(std::string_view text, keyspace& keys)
    : state_(lua_newstate(&lua_memory::serve, &memory_)), keys_(keys) {
  if (state_ == nullptr) throw std::runtime_error("no memory for a Lua machine");
  for (const auto& [name, open] : {std::pair<const char*, lua_CFunction>{"", luaopen_base},
                                   {LUA_TABLIBNAME, luaopen_table},
                                   {LUA_STRLIBNAME, luaopen_string},
                                   {LUA_MATHLIBNAME, luaopen_math}}) {
    lua_pushcfunction(state_, open);
    lua_pushstring(state_, name);
    lua_call(state_, 1, 0);
  }
  // What Redis does not give a script either.
  for (const char* name : {"dofile", "loadfile", "print"}) {
    lua_pushnil(state_);
    lua_setglobal(state_, name);
  }
  lua_createtable(state_, 0, 4);
  const auto put = [&](const char* name, lua_CFunction f) {
    lua_pushlightuserdata(state_, this);
    lua_pushcclosure(state_, f, 1);
    lua_setfield(state_, -2, name);
  };
  put("call", &script_engine::call);
  put("pcall", &script_engine::try_call);
  put("error_reply", &error_reply);
  put("status_reply", &status_reply);
  lua_setglobal(state_, "redis");
  if (luaL_loadbuffer(state_, text.data(), text.size(), "@user_script") != 0) {
    const std::string why = raised(state_);
    lua_close(state_);
    throw std::runtime_error("the script of the store: " + why);
  }
  script_ = luaL_ref(state_, LUA_REGISTRYINDEX);
}

script_engine::~script_engine() { lua_close(state_); }

store_value script_engine::run(std::span<const std::string> arguments, std::int64_t now) {
  now_ = now;
  lua_createtable(state_, static_cast<int>(arguments.size()), 0);
  int at = 0;
  for (const std::string& a : arguments) {
    lua_pushlstring(state_, a.data(), a.size());
    lua_rawseti(state_, -2, ++at);
  }
  lua_setglobal(state_, "ARGV");
  lua_createtable(state_, 0, 0);
  lua_setglobal(state_, "KEYS");
  lua_rawgeti(state_, LUA_REGISTRYINDEX, script_);
  store_value out = lua_pcall(state_, 0, 1, 0) == 0 ? value_of(state_) : store_value::problem(raised(state_));
  lua_settop(state_, 0);
  return out;
}

bool script_engine::answer(lua_State* state) {
  const int count = lua_gettop(state);
  if (count == 0 || count > most_words) {
    push(state, store_value::problem("ERR wrong number of words for redis.call"));
    return false;
  }
  std::array<std::string_view, most_words> words;
  std::array<std::array<char, 40>, 16> numbers;
  std::size_t used = 0;
  for (int i = 1; i <= count; ++i) {
    std::string_view& word = words[static_cast<std::size_t>(i - 1)];
    std::size_t size = 0;
    const int type = lua_type(state, i);
    if (type == LUA_TNUMBER && used < numbers.size()) {
      word = number_word(lua_tonumber(state, i), numbers[used++]);
    } else if (type == LUA_TSTRING) {
      const char* const s = lua_tolstring(state, i, &size);
      word = {s, size};
    } else {
      push(state, store_value::problem("ERR Lua redis lib command arguments must be strings or integers"));
      return false;
    }
  }
  const store_value got = keys_.run({words.data(), static_cast<std::size_t>(count)}, now_);
  push(state, got);
  return got.is != store_value::kind::error;
}

int script_engine::call(lua_State* state) {
  auto* const self = static_cast<script_engine*>(lua_touserdata(state, lua_upvalueindex(1)));
  if (!self->answer(state)) return lua_error(state);
  return 1;
}

int script_engine::try_call(lua_State* state) {
  auto* const self = static_cast<script_engine*>(lua_touserdata(state, lua_upvalueindex(1)));
  self->answer(state);
  return 1;
}

}  // namespace switchgear::inline v1::simulation
