// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "keyspace.hpp"
#include "lua_memory.hpp"
#include "store_value.hpp"

struct lua_State;

namespace switchgear::inline v1::simulation {

/// One script in a Lua 5.1 machine, as Redis runs it: KEYS and ARGV, redis.call and redis.pcall on a keyspace, and answers
/// turned into Lua and back by the rules of EVAL (a nil becomes false, a number loses its fraction, a table ends at its first
/// nil). Time stands still while the script runs.
class script_engine {
 public:
  /// Throws std::runtime_error when the text is no Lua.
  script_engine(std::string_view text, keyspace& keys);
  script_engine(const script_engine&) = delete;
  script_engine& operator=(const script_engine&) = delete;
  ~script_engine();

  /// Runs it without keys. What the script raises is an answer of the kind error.
  store_value run(std::span<const std::string> arguments, std::int64_t now);

 private:
  static int call(lua_State* state);
  static int try_call(lua_State* state);
  /// Leaves the answer on the stack. Apart from call(), because nothing of C++ may be alive when Lua jumps away.
  bool answer(lua_State* state);

  lua_memory memory_;
  lua_State* state_ = nullptr;
  keyspace& keys_;
  std::int64_t now_ = 0;
  int script_ = 0;
};

}  // namespace switchgear::inline v1::simulation
