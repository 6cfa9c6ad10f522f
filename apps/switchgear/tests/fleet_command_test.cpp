// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"
#include "redis_server.hpp"

#include <switchgear/fleet/member.hpp>
#include <switchgear/http/transport.hpp>
#include <switchgear/prometheus_collector.hpp>
#include <switchgear/registry_source.hpp>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <csignal>

namespace {

using namespace program_tests;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
namespace sg = switchgear;
namespace http = switchgear::http;

/// A process of the fleet, as far as the fleet can tell.
struct instance {
  instance(const std::string& url, const std::string& name, const std::string& fleet = "default")
      : member(circuits, {.url = url, .name = fleet, .instance = name, .ramp = {}, .adopt_within = 10s}) {}

  sg::registry circuits{{.environment = sg::variables{}}};
  sg::breaker_handle payments = circuits.get("payments", {.failure_threshold = 2, .open_duration = 1h});
  sg::fleet::member member;

  [[nodiscard]] sg::state state() const { return payments->state(); }
};

class fleet_commands : public program_test {
 protected:
  fleet_commands() { redis_.start(); }

  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(redis_.port()) + "/0"; }
  [[nodiscard]] outcome on_fleet(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--fleet", url()});
    return run(arguments);
  }
  [[nodiscard]] std::string said(const std::vector<std::string>& arguments) const {
    const outcome o = on_fleet(arguments);
    EXPECT_EQ(o.status, 0) << o.err;
    return o.out;
  }
  /// Until the store knows how both see it.
  [[nodiscard]] bool are_seen(std::size_t count) const {
    sg::fleet::control all(url());
    return eventually([&] { return all.views("payments").size() == count; });
  }
  [[nodiscard]] std::string where() const { return "fleet default at " + url(); }

  test_support::redis_server redis_;
};

TEST_F(fleet_commands, force_open_holds_a_circuit_at_every_instance_with_owner_reason_and_end) {
  const instance one(url(), "one"), two(url(), "two");
  EXPECT_EQ(said({"force-open", "payments", "--reason", "audit", "--owner", "ann", "--ttl", "2h"}),
            "circuit payments of " + where() + " closed → forced_open: audit (2 instances)\n");
  for (const instance* i : {&one, &two}) {
    ASSERT_TRUE(eventually([&] { return i->state() == sg::state::forced_open; }));
    const auto held = i->payments->figures().operator_override;
    ASSERT_TRUE(held);
    EXPECT_EQ(held->owner, "ann");
    EXPECT_THAT(held->reason, HasSubstr("audit"));
    ASSERT_TRUE(held->until);
    const auto left = *held->until - std::chrono::system_clock::now();
    EXPECT_TRUE(left > 119min && left <= 2h) << left.count();
  }
  EXPECT_THAT(said({"force-open", "payments", "--owner", "bert"}), HasSubstr("a new owner"));
  EXPECT_TRUE(eventually([&] { return two.payments->figures().operator_override->owner == "bert"; }));
}

TEST_F(fleet_commands, release_ends_an_override_everywhere_and_nothing_else) {
  const instance one(url(), "one"), two(url(), "two");
  ASSERT_THAT(said({"disable", "payments"}), HasSubstr("closed → disabled: disabled by hand (2 instances)"));
  ASSERT_TRUE(eventually([&] { return one.state() == sg::state::disabled && two.state() == sg::state::disabled; }));
  EXPECT_THAT(said({"release", "payments"}), HasSubstr("disabled → closed: released by hand"));
  EXPECT_TRUE(eventually([&] { return one.state() == sg::state::closed && two.state() == sg::state::closed; }));
  EXPECT_THAT(said({"release", "payments"}), AllOf(StartsWith("nothing to do"), HasSubstr("it is closed")));
}

TEST_F(fleet_commands, an_override_ends_everywhere_with_its_time_to_live) {
  const instance one(url(), "one");
  ASSERT_EQ(on_fleet({"force-open", "payments", "--ttl", "1s"}).status, 0);
  EXPECT_TRUE(eventually([&] { return one.payments->history().size() == 2; }));
  EXPECT_EQ(one.payments->history().front().to_state, sg::state::forced_open);
  EXPECT_EQ(one.state(), sg::state::closed);
  EXPECT_TRUE(eventually([&] { return sg::fleet::control(url()).record_of("payments").state == sg::state::closed; }));
}

TEST_F(fleet_commands, reset_closes_a_circuit_that_opened_at_one_instance) {
  const instance one(url(), "one"), two(url(), "two");
  one.payments->trip("the bank is down");
  ASSERT_TRUE(eventually([&] { return two.state() == sg::state::open; }));
  EXPECT_THAT(said({"reset", "payments", "--reason", "fixed"}), HasSubstr("open → closed: fixed"));
  EXPECT_TRUE(eventually([&] { return one.state() == sg::state::closed && two.state() == sg::state::closed; }));
}

TEST_F(fleet_commands, what_is_done_to_another_fleet_concerns_nobody_here) {
  const instance here(url(), "one"), there(url(), "one", "office");
  ASSERT_EQ(run({"force-open", "payments", "--fleet", url(), "--fleet-name", "office"}).status, 0);
  ASSERT_TRUE(eventually([&] { return there.state() == sg::state::forced_open; }));
  EXPECT_EQ(here.state(), sg::state::closed);
  EXPECT_EQ(here.member.metrics().fleet_decisions, 0u);
}

TEST_F(fleet_commands, what_is_decided_while_nobody_is_there_holds_for_who_comes_and_a_wrong_name_is_noticed) {
  const outcome o = on_fleet({"force-open", "payments"});
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.out, HasSubstr("no instance is there now"));
  EXPECT_THAT(o.err, HasSubstr("is the name right?"));
  const instance late(url(), "late");
  EXPECT_EQ(late.state(), sg::state::forced_open);
}

TEST_F(fleet_commands, trip_says_why_it_cannot_be_done_from_here) {
  const outcome o = on_fleet({"trip", "payments"});
  EXPECT_EQ(o.status, 2);
  EXPECT_THAT(o.err, AllOf(HasSubstr("force-open"), HasSubstr("--ttl")));
  EXPECT_EQ(sg::fleet::control(url()).record_of("payments").epoch, 0u);
}

TEST_F(fleet_commands, what_makes_no_sense_is_a_usage_error) {
  EXPECT_EQ(run({"force-open", "payments", "--fleet", "nowhere"}).status, 2);
  EXPECT_EQ(run({"force-open", "payments", "--fleet", url(), "--fleet-name", "a b"}).status, 2);
  EXPECT_EQ(run({"force-open", "payments", "--fleet-name", "shop"}).status, 2);
  EXPECT_EQ(on_fleet({"force-open", "payments", "--ttl", "soon"}).status, 2);
  EXPECT_EQ(on_fleet({"force-open", "payments", "--ttl", "0s"}).status, 2);
  EXPECT_EQ(on_fleet({"force-open", "a\nb"}).status, 2);
  EXPECT_EQ(on_fleet({"reset", "payments", "--metrics"}).status, 2);
  EXPECT_EQ(on_fleet({"status", "--bus", url()}).status, 2);
  EXPECT_EQ(sg::fleet::control(url()).records().size(), 0u);
}

TEST_F(fleet_commands, a_store_out_of_reach_is_an_error_and_no_secret_is_told) {
  redis_.kill();
  const std::string secret = "redis://:secret-word@127.0.0.1:" + std::to_string(redis_.port()) + "/0";
  for (const char* verb : {"force-open", "disable", "release", "reset", "status"}) {
    const outcome o = run({verb, "payments", "--fleet", secret});
    EXPECT_EQ(o.status, 1) << verb;
    EXPECT_THAT(o.err, StartsWith("switchgear: error: " + where() + ": ")) << verb;
    EXPECT_THAT(o.out + o.err, Not(HasSubstr("secret-word"))) << verb;
  }
}

// --- looking ---

TEST_F(fleet_commands, status_shows_what_the_fleet_has_decided) {
  EXPECT_EQ(said({"status"}), "the " + where() + " has decided nothing about any circuit yet\n");
  const instance one(url(), "one");
  ASSERT_EQ(on_fleet({"force-open", "payments", "--owner", "ann", "--reason", "audit", "--ttl", "2h"}).status, 0);
  ASSERT_EQ(on_fleet({"reset", "search"}).status, 0);
  EXPECT_THAT(said({"status"}), AllOf(HasSubstr("payments"), HasSubstr("forced_open"), HasSubstr("ann: audit (until "),
                                      HasSubstr("search")));
  EXPECT_THAT(said({"status", "search"}), Not(HasSubstr("payments")));
  const outcome unknown = on_fleet({"status", "nobody"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("nobody"));
}

TEST_F(fleet_commands, status_in_json_has_the_view_of_each_instance) {
  const instance one(url(), "one"), two(url(), "two");
  one.payments->trip("the bank is down");
  ASSERT_TRUE(eventually([&] { return two.state() == sg::state::open; }));
  json all;
  ASSERT_TRUE(eventually([&] {
    all = json::parse(said({"status", "--json"}));
    return all.size() == 1 && all[0]["instances"].size() == 2 && all[0]["instances"][1]["state"] == "open";
  })) << all;
  EXPECT_EQ(all[0]["name"], "payments");
  EXPECT_EQ(all[0]["state"], "open");
  EXPECT_GT(all[0]["now"]["retry_after"], 3000);
  EXPECT_EQ(all[0]["instances"][0]["instance"], "one");
}

TEST_F(fleet_commands, status_is_watched_until_ctrl_c_whatever_becomes_of_the_store) {
  ASSERT_EQ(on_fleet({"force-open", "payments"}).status, 0);
  process watching = start({"status", "--watch", "--interval", "50ms", "--fleet", url()});
  ASSERT_TRUE(watching.prints("forced_open"));
  redis_.restart_empty();
  ASSERT_TRUE(watching.prints("has decided nothing"));
  redis_.kill();
  watching.signal(SIGINT);
  EXPECT_EQ(watching.wait().status, 0);
}

/// A dashboard of the fleet, as a browser sees it.
class fleet_page {
 public:
  explicit fleet_page(process&& program) : program_(std::move(program)) {
    EXPECT_TRUE(program_.prints("}\n"));
    const json said = json::parse(program_.output());
    url_ = said.at("url");
    url_.pop_back();
    const std::string whole = said.at("url_with_token");
    token_ = whole.substr(whole.find('=') + 1);
  }
  [[nodiscard]] json read(const std::string& path) { return json::parse(transport_.send({.url = url_ + path}).reply.body); }
  [[nodiscard]] int act(const std::string& name, const std::string& verb, const json& body) {
    http::request r{.method = "POST", .url = url_ + "/api/v1/circuits/" + name + "/" + verb,
                    .headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + token_}}};
    r.body = body.dump();
    return static_cast<int>(transport_.send(r).reply.status);
  }
  [[nodiscard]] std::string state_of(const std::string& name) {
    return read("/api/v1/circuits/" + name).value("circuit", json::object()).value("state", "");
  }

 private:
  process program_;
  http::transport transport_{{.environment_proxy = false}};
  std::string url_, token_;
};

TEST_F(fleet_commands, the_dashboard_shows_a_fleet_and_how_each_instance_sees_a_circuit) {
  const instance one(url(), "one"), two(url(), "two");
  one.payments->trip("the bank is down");
  ASSERT_TRUE(eventually([&] { return two.state() == sg::state::open; }));
  ASSERT_TRUE(are_seen(2));
  fleet_page page(start({"dashboard", "--listen", "127.0.0.1:0", "--json", "--refresh", "100ms", "--fleet", url()}));
  ASSERT_TRUE(eventually([&] { return page.state_of("payments") == "open"; }));
  EXPECT_TRUE(eventually([&] {
    const json views = page.read("/api/v1/circuits/payments").at("views");
    return views.size() == 2 && views[0]["instance"] == "one" && views[0]["state"] == "open" && views[1]["state"] == "open";
  })) << page.read("/api/v1/circuits/payments").at("views");
  const json row = page.read("/api/v1/circuits/payments").at("circuit");
  EXPECT_THAT(row.at("reason").get<std::string>(), AllOf(HasSubstr("the bank is down"), HasSubstr("one")));
  EXPECT_EQ(row.at("source"), where());
  EXPECT_EQ(row.at("counted"), false);
}

TEST_F(fleet_commands, what_is_done_on_the_dashboard_is_done_at_every_instance) {
  const instance one(url(), "one"), two(url(), "two");
  one.payments->trip("trying");
  ASSERT_TRUE(eventually([&] { return two.state() == sg::state::open; }));
  fleet_page page(start({"dashboard", "--listen", "127.0.0.1:0", "--json", "--refresh", "100ms", "--fleet", url()}));
  ASSERT_TRUE(eventually([&] { return page.state_of("payments") == "open"; }));
  const json why{{"owner", "ann"}, {"reason", "maintenance"}};
  EXPECT_EQ(page.act("payments", "trip", why), 409);
  EXPECT_EQ(page.act("payments", "reset", why), 200);
  EXPECT_TRUE(eventually([&] { return one.state() == sg::state::closed && two.state() == sg::state::closed; }));
  json for_a_while = why;
  for_a_while["ttl"] = "1h";
  EXPECT_EQ(page.act("payments", "force-open", for_a_while), 200);
  EXPECT_TRUE(eventually([&] { return one.state() == sg::state::forced_open && two.state() == sg::state::forced_open; }));
  EXPECT_EQ(two.payments->figures().operator_override->owner, "ann");
  EXPECT_EQ(page.act("payments", "release", why), 200);
  EXPECT_TRUE(eventually([&] { return one.state() == sg::state::closed && two.state() == sg::state::closed; }));
  EXPECT_TRUE(eventually([&] {
    const json history = page.read("/api/v1/circuits/payments").at("history");
    return history.size() >= 3 && history.back()["to_state"] == "closed" && history.back()["from_state"] == "forced_open";
  })) << page.read("/api/v1/circuits/payments").at("history");
}

TEST_F(fleet_commands, the_dashboard_says_that_the_store_is_away_and_comes_back_with_it) {
  ASSERT_EQ(on_fleet({"force-open", "payments"}).status, 0);
  fleet_page page(start({"dashboard", "--listen", "127.0.0.1:0", "--json", "--refresh", "100ms", "--fleet", url()}));
  ASSERT_TRUE(eventually([&] { return page.state_of("payments") == "forced_open"; }));
  redis_.stop();
  EXPECT_TRUE(eventually([&] { return !page.read("/api/v1/circuits").at("problems").empty(); }));
  redis_.resume();
  EXPECT_TRUE(eventually([&] { return page.read("/api/v1/circuits").at("problems").empty(); }));
}

// --- within a member ---

TEST_F(fleet_commands, a_program_of_the_fleet_shows_all_views_and_its_own_metrics) {
  instance one(url(), "one");
  const instance two(url(), "two");
  ASSERT_TRUE(are_seen(2));
  sg::registry_source source(one.circuits, [&](std::string_view name) {
    return sg::instance_readings(one.member.views(name));
  });
  EXPECT_TRUE(eventually([&] {
    const auto seen = source.detail("payments", "")->instances;
    return seen.size() == 2 && seen[0].instance == "one" && seen[1].instance == "two" && seen[1].link == "shared";
  }));

  sg::prometheus_collector metrics;
  metrics.add("default", one.member);
  EXPECT_TRUE(eventually([&] {
    const std::string text = sg::to_prometheus_text(metrics.Collect());
    return contains(text, "switchgear_fleet_link{name=\"default\",state=\"shared\"} 1") &&
           contains(text, "switchgear_fleet_members{name=\"default\"} 2");
  })) << sg::to_prometheus_text(metrics.Collect());
}

}  // namespace
