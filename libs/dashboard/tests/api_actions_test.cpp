// SPDX-License-Identifier: Apache-2.0
#include "action_body.hpp"
#include "dashboard_support.hpp"

namespace {

using namespace dashboards;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const std::string good_body = R"({"owner":"ops","reason":"host in maintenance"})";

std::string code_of(const sg::detail::web_answer& a) { return json_of(a)["error"]["code"]; }

struct actions : testing::Test {
  registry_dashboard d;
  sg::breaker_handle payments = d.make("payments");
  actions() { d.api.refresh(); }

  sg::detail::web_answer act(const std::string& verb, const std::string& body = good_body, const std::string& name = "payments") {
    return d.api.answer(post(name, verb, body));
  }
  std::string outcome(const std::string& verb) { return json_of(act(verb))["outcome"]; }
};

TEST_F(actions, answer_with_the_row_as_it_is_now) {
  const auto answer = act("trip");
  EXPECT_EQ(answer.status, 200u);
  const json told = json_of(answer);
  EXPECT_THAT(keys_of(told), UnorderedElementsAre("outcome", "message", "circuit"));
  EXPECT_EQ(told["outcome"], "done");
  EXPECT_EQ(told["circuit"]["state"], "open");
  EXPECT_EQ(told["circuit"]["reason"], "ops: host in maintenance");
  EXPECT_EQ(d.api.actions(), 1u);
}

TEST_F(actions, do_what_their_names_say) {
  act("force-open", R"({"owner":"ops","reason":"why","ttl":"5m"})");
  EXPECT_EQ(payments->state(), sg::state::forced_open);
  EXPECT_EQ(payments->snapshot().operator_override->owner, "ops");
  EXPECT_EQ(payments->snapshot().operator_override->reason, "why");
  d.clock.advance(5min);
  EXPECT_EQ(payments->state(), sg::state::closed);
  act("disable");
  EXPECT_EQ(payments->state(), sg::state::disabled);
  act("release");
  EXPECT_EQ(payments->state(), sg::state::closed);
  EXPECT_EQ(payments->history().back().reason, "ops: host in maintenance");
  act("trip");
  act("reset");
  EXPECT_EQ(payments->state(), sg::state::closed);
}

TEST_F(actions, say_when_there_was_nothing_to_do) {
  EXPECT_EQ(outcome("release"), "nothing_to_do");
  EXPECT_EQ(outcome("trip"), "done");
  EXPECT_EQ(outcome("trip"), "nothing_to_do");
  EXPECT_THAT(json_of(act("trip"))["message"].get<std::string>(), HasSubstr("the circuit is open"));
  EXPECT_EQ(outcome("force-open"), "done");
  EXPECT_EQ(outcome("force-open"), "done");  // renewed
  EXPECT_EQ(outcome("reset"), "done");
  EXPECT_EQ(outcome("reset"), "done");  // what builds up in a closed circuit is forgotten too
}

TEST_F(actions, take_no_credit_for_what_happened_by_itself) {
  act("force-open", R"({"owner":"ops","reason":"why","ttl":"5m"})");
  d.clock.advance(5min);
  EXPECT_EQ(outcome("release"), "nothing_to_do");
}

TEST_F(actions, are_written_down_and_told) {
  const stream_recorder told;
  const auto stream = d.api.open_stream(told.writer());
  act("force-open", R"({"owner":"ops","reason":"why","ttl":"5m"})");
  const json entry = told.last("audit");
  EXPECT_THAT(keys_of(entry), UnorderedElementsAre("time", "action", "circuit", "instance", "owner", "reason", "ttl", "outcome",
                                                   "message", "peer"));
  EXPECT_EQ(entry["action"], "force-open");
  EXPECT_EQ(entry["peer"], "127.0.0.1:50000");
  EXPECT_EQ(entry["outcome"], "done");
  EXPECT_EQ(json_of(d.api.answer(get({"api", "v1", "audit"})))["entries"], json::array({entry}));
  EXPECT_EQ(d.page("payments")["audit"], json::array({entry}));
  EXPECT_EQ(told.last("changes")["circuits"][0]["state"], "forced_open");  // at once, not with the next refresh
}

TEST_F(actions, find_circuits_that_are_younger_than_the_last_refresh) {
  d.make("young");
  EXPECT_EQ(act("trip", good_body, "young").status, 200u);
}

TEST_F(actions, work_on_any_name) {
  for (const std::string& name : hostile_names) {
    const auto breaker = d.make(name);
    EXPECT_EQ(act("trip", good_body, name).status, 200u) << name;
    EXPECT_TRUE(breaker->is_open()) << name;
  }
}

// --- what is refused ---

TEST_F(actions, need_somebody_who_may_act) {
  auto r = post("payments", "trip", good_body);
  r.may_act = false;
  EXPECT_EQ(d.api.answer(r).status, 403u);
  EXPECT_EQ(code_of(d.api.answer(r)), "foreign_origin");
  r.knows_token = false;
  EXPECT_EQ(d.api.answer(r).status, 401u);
  EXPECT_EQ(code_of(d.api.answer(r)), "token_missing");
  registry_dashboard nobody{sg::dashboard_options{}};
  EXPECT_EQ(code_of(nobody.api.answer(r)), "read_only");
  EXPECT_TRUE(payments->is_closed());
}

TEST_F(actions, need_json) {
  auto r = post("payments", "trip", good_body);
  r.content_type = "text/plain";
  EXPECT_EQ(d.api.answer(r).status, 415u);
  EXPECT_EQ(code_of(d.api.answer(r)), "not_json");
}

TEST_F(actions, need_a_circuit) {
  EXPECT_EQ(act("trip", good_body, "nobody").status, 404u);
  EXPECT_EQ(code_of(act("trip", good_body, "nobody")), "unknown_circuit");
  auto r = post("payments", "trip", good_body);
  r.query = {{"instance", "another"}};
  EXPECT_EQ(d.api.answer(r).status, 404u);
  EXPECT_EQ(act("explode").status, 404u);
}

TEST_F(actions, are_refused_on_a_circuit_that_is_switched_off) {
  d.circuits.get("off", sg::config{.enabled = false});
  const auto answer = act("trip", good_body, "off");
  EXPECT_EQ(answer.status, 409u);
  EXPECT_EQ(code_of(answer), "not_operable");
  EXPECT_EQ(json_of(d.api.answer(get({"api", "v1", "audit"})))["entries"][0]["outcome"], "refused");
}

TEST_F(actions, with_a_wrong_body_are_refused_and_told_what_is_wrong) {
  const std::vector<std::pair<std::string, std::string>> bodies{
      {"", "no JSON"},
      {"[]", "JSON object"},
      {"{", "no JSON"},
      {R"({"owner":"a","owner":"b","reason":"c"})", "twice"},
      {R"({"reason":"why"})", "owner is missing"},
      {R"({"owner":"ops"})", "reason is missing"},
      {R"({"owner":1,"reason":"why"})", "owner has to be a text"},
      {R"({"owner":"","reason":"why"})", "owner has to be 1 to 100"},
      {R"({"owner":"ops","reason":"a\nb"})", "reason has to be"},
      {R"({"owner":"ops","reason":"\u0085"})", "reason has to be"},
      {R"({"owner":"ops","reason":"why","because":1})", "\"because\""},
      {R"({"owner":"ops","reason":"why","ttl":"5m"})", "only with force-open and disable"},
      {"{\"owner\":\"ops\",\"reason\":\"\xff\"}", "no JSON"},
      {R"({"owner":")" + std::string(101, 'x') + R"(","reason":"why"})", "owner has to be"},
      {R"({"owner":"ops","reason":")" + std::string(501, 'x') + R"("})", "reason has to be"},
      {R"({"owner":{"a":{"b":{}}},"reason":"why"})", "nested"}};
  for (const auto& [body, why] : bodies) {
    const auto answer = act("trip", body);
    EXPECT_EQ(answer.status, 400u) << body;
    EXPECT_EQ(code_of(answer), "bad_request");
    EXPECT_THAT(json_of(answer)["error"]["message"].get<std::string>(), HasSubstr(why));
  }
  EXPECT_TRUE(payments->is_closed());
}

TEST_F(actions, with_a_wrong_ttl_are_refused) {
  for (const char* ttl : {"\"\"", "5", "\"0s\"", "\"-1s\"", "\"721h\"", "\"soon\"", "[]", "true"}) {
    EXPECT_EQ(act("disable", std::string(R"({"owner":"ops","reason":"why","ttl":)") + ttl + "}").status, 400u) << ttl;
  }
  for (const char* ttl : {"null", "\"720h\"", "\"1ns\""}) {
    EXPECT_EQ(act("disable", std::string(R"({"owner":"ops","reason":"why","ttl":)") + ttl + "}").status, 200u) << ttl;
  }
}

TEST(actions_and_their_audit, are_not_done_when_they_cannot_be_written_down) {
  const folder here;
  auto options = with_token();
  options.audit_file = here / "missing/audit";
  texts notices;
  options.on_notice = [&](const std::string& line) { notices.push_back(line); };
  registry_dashboard d{options};
  const auto payments = d.make("payments");
  d.api.refresh();
  const auto answer = d.api.answer(post("payments", "trip", good_body));
  EXPECT_EQ(answer.status, 500u);
  EXPECT_EQ(code_of(answer), "audit_failed");
  EXPECT_TRUE(payments->is_closed());
  EXPECT_THAT(notices, ElementsAre(HasSubstr("audit")));
  EXPECT_THAT(json_of(d.api.answer(get({"api", "v1", "circuits"})))["problems"][0].get<std::string>(), HasSubstr("audit"));
}

TEST(actions_and_their_audit, stand_in_the_file_before_they_are_done) {
  struct looking final : sg::circuit_source {
    explicit looking(sg::circuit_source& s) : inner(s) {}
    std::vector<sg::circuit_reading> read() override { return inner.read(); }
    std::optional<sg::circuit_detail> detail(std::string_view n, std::string_view i) override { return inner.detail(n, i); }
    sg::action_outcome act(const sg::circuit_action& a) override {
      written = lines_of(file);
      return inner.act(a);
    }
    sg::subscription observe(std::function<void(const sg::event&)> h) override { return inner.observe(std::move(h)); }
    sg::circuit_source& inner;
    std::string file;
    texts written;
  };
  const folder here;
  auto options = with_token();
  options.audit_file = here / "audit";
  registry_dashboard d;
  const auto source = std::make_shared<looking>(*d.source);
  source->file = options.audit_file;
  d.make("a");
  sg::detail::api api{source, options, d.clock};
  api.refresh();
  EXPECT_EQ(api.answer(post("a", "trip", good_body)).status, 200u);
  ASSERT_EQ(source->written.size(), 1u);
  EXPECT_EQ(json::parse(source->written[0])["outcome"], "intended");
  EXPECT_EQ(json::parse(lines_of(options.audit_file)[1])["outcome"], "done");
}

// --- other sources ---

struct actions_over_a_script : testing::Test {
  std::shared_ptr<scripted_source> source = std::make_shared<scripted_source>();
  manual_clock clock;
  sg::detail::api api{source, with_token(), clock};
};

TEST_F(actions_over_a_script, ask_which_of_several) {
  source->add("a", "1");
  source->add("a", "2");
  api.refresh();
  auto r = post("a", "trip", good_body);
  EXPECT_EQ(api.answer(r).status, 400u);
  EXPECT_THAT(json_of(api.answer(r))["error"]["message"].get<std::string>(), HasSubstr("instance"));
  r.query = {{"instance", "2"}};
  EXPECT_EQ(api.answer(r).status, 200u);
  ASSERT_EQ(source->actions.size(), 1u);
  EXPECT_EQ(source->actions[0].instance, "2");
}

TEST_F(actions_over_a_script, are_not_passed_on_when_the_circuit_cannot_be_operated) {
  source->add("a").not_operable = "it lives elsewhere";
  api.refresh();
  const auto answer = api.answer(post("a", "trip", good_body));
  EXPECT_EQ(answer.status, 409u);
  EXPECT_EQ(json_of(answer)["error"]["message"], "it lives elsewhere");
  EXPECT_TRUE(source->actions.empty());
}

TEST_F(actions_over_a_script, tell_what_the_source_says) {
  source->add("a");
  api.refresh();
  const auto answer = [&](sg::action_outcome::kind k) {
    source->outcome = {k, "so it is"};
    return api.answer(post("a", "trip", good_body));
  };
  using kind = sg::action_outcome::kind;
  EXPECT_EQ(json_of(answer(kind::nothing_to_do))["outcome"], "nothing_to_do");
  EXPECT_EQ(answer(kind::refused).status, 409u);
  EXPECT_EQ(answer(kind::unknown).status, 404u);
  EXPECT_EQ(json_of(answer(kind::done))["message"], "so it is");
  EXPECT_EQ(api.actions(), 1u);
}

TEST_F(actions_over_a_script, that_throw_are_told_and_written_down) {
  source->add("a");
  api.refresh();
  source->throws = true;
  const auto answer = api.answer(post("a", "trip", good_body));
  EXPECT_EQ(answer.status, 503u);
  EXPECT_EQ(code_of(answer), "unavailable");
  EXPECT_EQ(json_of(api.answer(get({"api", "v1", "audit"})))["entries"][0]["outcome"], "refused");
}

}  // namespace
