// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/config.hpp>
#include <switchgear/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::llm {

/// Why a parser of a chain brought nothing.
struct parser_failure {
  enum class kind : std::uint8_t { no_result, threw, open };
  std::string parser;
  kind why = kind::no_result;

  friend bool operator==(const parser_failure&, const parser_failure&) = default;
};

/// The name, `no_result`.
[[nodiscard]] std::string_view to_string(parser_failure::kind k) noexcept;

/// What a chain made of a text.
template <class T>
struct parsed {
  std::optional<T> value{};  ///< nothing: no parser could make anything of it
  std::string parser{};      ///< which answered; empty when none did
  std::string text{};        ///< the text itself when no parser answered, for want of better
  std::vector<parser_failure> failures{};  ///< of those that were tried before, in order

  [[nodiscard]] explicit operator bool() const noexcept { return value.has_value(); }
};

/// What a parser_chain may be told.
struct parser_chain_options {
  std::string name = "parser";  ///< breakers are called NAME.PARSER
  config breaker{};             ///< of each parser, unless it brings its own
  switchgear::clock* clock = nullptr;  ///< of the breakers; outlives the chain
};

namespace detail {

/// The part that does not depend on the type: the breakers, by the names of the parsers.
class parser_breakers {
 public:
  explicit parser_breakers(parser_chain_options options) : options_(std::move(options)) {}
  /// Throws config_error for a name that is none or is there already.
  void add(const std::string& name, const config& c);
  [[nodiscard]] const config& usual() const noexcept { return options_.breaker; }
  [[nodiscard]] const std::string& name(std::size_t i) const { return all_[i].name; }
  [[nodiscard]] circuit_breaker& at(std::size_t i) const { return *all_[i].breaker; }
  /// Throws std::out_of_range.
  [[nodiscard]] circuit_breaker& find(std::string_view name) const;

 private:
  struct one {
    std::string name;
    std::unique_ptr<circuit_breaker> breaker;
  };
  parser_chain_options options_;
  std::vector<one> all_;
};

}  // namespace detail

/// Parsers of what a model wrote, tried in turn: one that fails again and again is passed over for a while, and when none can
/// do it, the text itself is the answer.
///
///     sg::llm::parser_chain<verdict> chain;
///     chain.add("json", parse_json).add("fenced", parse_fenced_block).add("keywords", look_for_words);
///     sg::llm::parsed<verdict> p = chain(answer.text);
///     return p ? *p.value : ask_a_human(p.text);
///
/// Nothing and an exception are both failures; no exception of a parser leaves the chain. Thread safety: any number of
/// threads, once all parsers are added, as far as the parsers allow it.
template <class T>
class parser_chain {
 public:
  using parser = std::function<std::optional<T>(std::string_view text)>;

  explicit parser_chain(parser_chain_options options = {}) : breakers_(std::move(options)) {}

  /// Throws config_error for a name that is none or is there already, or an impossible configuration.
  parser_chain& add(const std::string& name, parser p) { return add(name, std::move(p), breakers_.usual()); }
  parser_chain& add(const std::string& name, parser p, const config& breaker) {
    parsers_.reserve(parsers_.size() + 1);
    breakers_.add(name, breaker);
    parsers_.push_back(std::move(p));
    return *this;
  }

  [[nodiscard]] parsed<T> operator()(std::string_view text) const {
    parsed<T> out;
    for (std::size_t i = 0; i < parsers_.size(); ++i) {
      permit p = breakers_.at(i).try_acquire();
      auto why = parser_failure::kind::open;
      if (p) {
        try {
          out.value = parsers_[i](text);
          why = parser_failure::kind::no_result;
          if (out.value) {
            p.success();
            out.parser = breakers_.name(i);
            return out;
          }
          p.failure("no result");
        } catch (...) {
          p.failure("the parser threw");
          why = parser_failure::kind::threw;
        }
      }
      out.failures.push_back({breakers_.name(i), why});
    }
    out.text = text;
    return out;
  }

  /// Of one parser. Throws std::out_of_range.
  [[nodiscard]] circuit_breaker& breaker(std::string_view name) const { return breakers_.find(name); }

 private:
  detail::parser_breakers breakers_;
  std::vector<parser> parsers_;
};

}  // namespace switchgear::inline v1::llm
