// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the dashboard have in common.

#include "api.hpp"

#include <switchgear/circuit_source.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/registry_source.hpp>
#include <switchgear/testing/breakers.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dashboards {

namespace sg = switchgear;
using namespace std::chrono_literals;
using nlohmann::json;
using sg::testing::manual_clock;
using texts = std::vector<std::string>;

/// Names that somebody may have chosen to do harm.
inline const texts hostile_names{"<script>alert(1)</script>", "\"quoted\" and \\back\\", "\xe2\x80\xae" "drawkcab",
                                 "\xf0\x9f\x92\xa3 emoji",    std::string(200, 'x'),     "a/b",
                                 "..",                        "?instance=1#x",           "line\xe2\x80\xa8separator",
                                 "%2F"};

/// A source that says what the test says.
class scripted_source final : public sg::circuit_source {
 public:
  std::vector<sg::circuit_reading> readings;
  texts wrong;
  bool throws = false;
  sg::action_outcome outcome{};
  std::vector<sg::circuit_action> actions;
  std::function<void(const sg::event&)> handler;
  sg::circuit_detail more;

  std::vector<sg::circuit_reading> read() override {
    if (throws) throw std::runtime_error("the store is away");
    return readings;
  }
  std::optional<sg::circuit_detail> detail(std::string_view, std::string_view) override {
    if (throws) throw std::runtime_error("the store is away");
    return more;
  }
  sg::action_outcome act(const sg::circuit_action& action) override {
    actions.push_back(action);
    if (throws) throw std::runtime_error("the store is away");
    return outcome;
  }
  sg::subscription observe(std::function<void(const sg::event&)> h) override {
    handler = std::move(h);
    return sg::subscription([this] { handler = nullptr; });
  }
  texts problems() override { return wrong; }

  sg::circuit_reading& add(std::string name, std::string instance = "") {
    sg::circuit_reading r{.now = {}, .reason = {}, .instance = std::move(instance), .source = {}};
    r.now.name = std::move(name);
    readings.push_back(std::move(r));
    return readings.back();
  }
};

[[nodiscard]] inline sg::detail::web_request get(texts path, std::vector<std::pair<std::string, std::string>> query = {}) {
  sg::detail::web_request r;
  r.method = "GET";
  r.path = std::move(path);
  r.query = std::move(query);
  r.peer = "127.0.0.1:50000";
  return r;
}

[[nodiscard]] inline sg::detail::web_request post(const std::string& name, const std::string& verb, std::string body) {
  sg::detail::web_request r = get({"api", "v1", "circuits", name, verb});
  r.method = "POST";
  r.content_type = "application/json";
  r.body = std::move(body);
  r.knows_token = r.may_act = true;
  return r;
}

[[nodiscard]] inline std::string text_of(const sg::detail::web_answer& a) { return a.body ? *a.body : std::string(); }
[[nodiscard]] inline json json_of(const sg::detail::web_answer& a) { return json::parse(text_of(a)); }

[[nodiscard]] inline texts keys_of(const json& object) {
  texts out;
  for (auto it = object.begin(); it != object.end(); ++it) out.push_back(it.key());
  return out;
}

/// Writes down what a stream is told.
struct stream_recorder {
  struct told {
    std::string kind;
    json data;
  };
  std::shared_ptr<std::vector<told>> all = std::make_shared<std::vector<told>>();
  std::shared_ptr<std::mutex> mutex = std::make_shared<std::mutex>();

  [[nodiscard]] sg::detail::stream_writer writer() const {
    return [all = all, mutex = mutex](const std::shared_ptr<const std::string>& piece) {
      std::istringstream lines(*piece);
      std::string kind, data, end;
      std::getline(lines, kind);
      std::getline(lines, data);
      std::getline(lines, end);
      EXPECT_EQ(end, "");
      EXPECT_TRUE(piece->ends_with("\n\n"));
      const std::lock_guard lock(*mutex);
      all->push_back({kind.substr(kind.find(' ') + 1), json::parse(data.substr(data.find(' ') + 1))});
      return true;
    };
  }
  [[nodiscard]] texts kinds() const {
    const std::lock_guard lock(*mutex);
    texts out;
    for (const told& t : *all) out.push_back(t.kind);
    return out;
  }
  [[nodiscard]] json last(std::string_view kind) const {
    const std::lock_guard lock(*mutex);
    const auto found = std::find_if(all->rbegin(), all->rend(), [&](const told& t) { return t.kind == kind; });
    return found == all->rend() ? json() : found->data;
  }
};

/// A folder of a test's own.
class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "switchgear-dashboard-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] inline texts lines_of(const std::string& file) {
  std::ifstream in(file);
  texts out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

inline constexpr std::string_view good_token = "0123456789abcdef";

[[nodiscard]] inline sg::dashboard_options with_token() {
  sg::dashboard_options o;
  o.token = good_token;
  return o;
}

/// An api over a registry of its own, on a clock that the test moves.
struct registry_dashboard {
  explicit registry_dashboard(sg::dashboard_options options = with_token()) : api(source, options, clock) {}

  manual_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  std::shared_ptr<sg::registry_source> source = std::make_shared<sg::registry_source>(circuits);
  sg::detail::api api;

  sg::breaker_handle make(const std::string& name) { return circuits.get(name, sg::testing::small_config()); }
  json row(const std::string& name) {
    const json all = json_of(api.answer(get({"api", "v1", "circuits"})));
    for (const json& r : all["circuits"]) {
      if (r["name"] == name) return r;
    }
    return nullptr;
  }
  json page(const std::string& name) { return json_of(api.answer(get({"api", "v1", "circuits", name}))); }
};

}  // namespace dashboards
