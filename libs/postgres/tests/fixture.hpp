// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgres_server.hpp"

#include <switchgear/postgres/client.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace sg = switchgear;
namespace pg = sg::postgres;
using namespace std::chrono_literals;

/// Tests that share one server; each finds it running.
struct with_server : testing::Test {
  static test_support::postgres_server& server() {
    static test_support::postgres_server one;
    return one;
  }
  void SetUp() override { server().start(); }
  void TearDown() override { server().resume(); }

  static pg::options settings() {
    return {.host = server().host,
            .port = static_cast<std::uint16_t>(server().port()),
            .database = server().database,
            .user = server().user,
            .password = server().password,
            .connect_timeout = 20s,
            .statement_timeout = 20s};
  }
};

/// All texts of an exception and what is nested in it.
inline std::string texts_of(const std::exception& e) {
  std::string all = e.what();
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception& inner) {
    all += "\n" + texts_of(inner);
  }
  return all;
}

/// The SQLSTATE nested in a connection_error.
inline std::string code_within(const std::exception& e) {
  try {
    std::rethrow_if_nested(e);
  } catch (const pg::server_error& inner) {
    return inner.code();
  } catch (const std::exception& inner) {
    return code_within(inner);
  }
  return {};
}

/// A copy of an exception, and what the copy lacks: what was nested in it.
template <class E>
struct caught : E {
  explicit caught(const E& e) : E(e), texts(texts_of(e)), inner_code(code_within(e)) {}
  std::string texts, inner_code;
};

/// What `f` throws, an E; a test failure when it does not.
template <class E, class F>
caught<E> thrown_by(F f) {
  try {
    f();
  } catch (const E& e) {
    return caught<E>(e);
  }
  throw std::logic_error("nothing was thrown");
}
