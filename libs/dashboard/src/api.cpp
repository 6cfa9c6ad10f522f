// SPDX-License-Identifier: Apache-2.0
#include "api.hpp"

#include "action_body.hpp"
#include "assets.hpp"
#include "json_object.hpp"
#include "web/authority.hpp"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {
namespace {

/// Of what is longer only the end is told: the API shows what happened lately, not an archive.
constexpr std::size_t most_changes = 1'000;

/// Of a fleet's views of one circuit.
constexpr std::size_t most_views = 1'000;

web_answer json_answer(std::string body) { return {.body = std::make_shared<const std::string>(std::move(body))}; }

web_answer text_answer(std::string_view type, std::string body) {
  return {.content_type = std::string(type), .body = std::make_shared<const std::string>(std::move(body))};
}

web_answer only(std::string_view methods) {
  web_answer out = error_answer(405, "method_not_allowed", "here one can only " + std::string(methods));
  out.headers.emplace_back("Allow", methods);
  return out;
}

web_answer no_such_page() { return error_answer(404, "not_found", "there is nothing at this address; see /api/v1/openapi.json"); }

web_answer no_such_circuit(std::string_view name, std::string_view instance) {
  std::string text = "there is no circuit " + std::string(name);
  if (!instance.empty()) text += " with the instance " + std::string(instance);
  return error_answer(404, "unknown_circuit", text);
}

bool needs_token_for_reading(const dashboard_options& o) {
  const auto where = read_listen_address(o.listen);
  return !o.token.empty() && !(where && is_loopback(where->address));
}

template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is no std::exception was thrown";
  }
  return {};
}

void add_changes(std::string& out, const std::vector<state_change>& changes) {
  json_list(out, changes, [&](const state_change& c) {
    json_object(out)
        .time("timestamp", c.timestamp)
        .text("from_state", to_string(c.from_state))
        .text("to_state", to_string(c.to_state))
        .text("reason", c.reason)
        .number("failure_count", c.failure_count)
        .number("generation", c.generation)
        .end();
  });
}

void add_failures(std::string& out, const std::vector<recent_failure>& failures) {
  json_list(out, failures, [&](const recent_failure& f) {
    json_object(out)
        .time("time", f.time)
        .text("kind", to_string(f.kind))
        .text("text", f.text)
        .text("correlation_id", f.correlation_id)
        .end();
  });
}

void add_views(std::string& out, const std::vector<instance_reading>& all) {
  json_list(out, std::span(all).first(std::min(all.size(), most_views)), [&](const instance_reading& i) {
    const auto in_state = std::max(i.in_state, std::chrono::nanoseconds(0));
    json_object(out)
        .text("instance", kept_text(i.instance))
        .text("state", to_string(i.state))
        .number("time_in_state", std::chrono::duration<double>(in_state).count())
        .number("calls", i.calls)
        .number("failures", i.failures)
        .number("rejections", i.rejections)
        .text("link", kept_text(i.link))
        .end();
  });
}

std::string circuit_document(circuit_view view, circuit_detail more, std::string_view audit) {
  if (more.changes.size() > most_changes) {
    more.changes.erase(more.changes.begin(), std::prev(more.changes.end(), static_cast<std::ptrdiff_t>(most_changes)));
  }
  snapshot now = std::move(view.row.reading.now);
  now.state_changes = std::move(more.changes);
  std::string out;
  json_object object(out);
  object.time("time", view.time).raw("circuit", view.row_text).raw("snapshot", to_json(now));
  json_list(object.member("instances"), view.instances, [&](const circuit_view::instance& i) {
    json_object(out).text("instance", i.instance).text("source", i.source).text("state", to_string(i.state)).end();
  });
  add_views(object.member("views"), more.instances);
  json_list(object.member("configuration"), more.configuration, [&](const configured_value& v) {
    json_object(out).text("key", v.key).text("value", v.value).text("origin", v.origin).end();
  });
  add_changes(object.member("history"), now.state_changes);
  add_failures(object.member("recent_failures"), view.failures);
  object.raw("series", view.series).raw("audit", audit);
  object.end();
  return out;
}

}  // namespace

api::api(std::shared_ptr<circuit_source> source, const dashboard_options& options, switchgear::clock& time)
    : source_(std::move(source)),
      options_(options),
      board_(options.critical, time),
      audit_(options.audit_file),
      collector_([this] { return board_.circuits(); }) {
  listen();
}

api::~api() = default;

void api::notice(std::string_view text) const noexcept {
  if (!options_.on_notice) return;
  (void)error_of([&] { options_.on_notice(std::string(text)); });
}

// --- telling ---

void api::listen() {
  if (heard_) return;
  not_heard_ = error_of([&] {
    heard_ = source_->observe([this](const event& e) {
      if (e.present) return;
      board_.hear(e);
      if (is_transition(e.kind) && feed_.has_listeners()) feed_.tell(server_sent_event("transition", to_json(e)));
    });
  });
}

void api::refresh() {
  const std::lock_guard one_at_a_time(reading_);
  listen();
  std::optional<std::vector<circuit_reading>> readings;
  std::vector<std::string> problems;
  const auto failed = [&](std::string_view what, const std::string& why) {
    if (!why.empty()) problems.push_back(std::string(what) + ": " + why);
  };
  failed("the circuits cannot be read, so what is shown is old", error_of([&] { readings = source_->read(); }));
  failed("what is wrong with the source cannot be told", error_of([&] {
           for (std::string& p : source_->problems()) problems.push_back(std::move(p));
         }));
  failed("transitions and failures are not told as they happen", not_heard_);
  if (auto problem = audit_.problem()) problems.push_back(std::move(*problem));

  const std::lock_guard no_stream_begins(telling_);
  const auto text = board_.take(std::move(readings), std::move(problems), feed_.has_listeners());
  if (text) feed_.tell(server_sent_event("changes", *text));
}

std::shared_ptr<void> api::open_stream(stream_writer write) {
  const std::lock_guard between_refreshes(telling_);
  return feed_.add(std::move(write), board_.first_event());
}

// --- answering ---

web_answer api::answer(const web_request& request) {
  const auto& path = request.path;
  const bool circuits = path.size() >= 4 && path[0] == "api" && path[1] == "v1" && path[2] == "circuits";
  if (circuits && path.size() == 5) {
    const auto what = action_named(path[4]);
    if (!what) return no_such_page();
    return request.method == "POST" ? act(request, *what) : only("POST");
  }
  if (request.method != "POST") return look(request);
  web_answer there = look(request);
  return there.status == 404 ? there : only("GET, HEAD");
}

web_answer api::look(const web_request& request) {
  const auto& path = request.path;
  if (path.size() == 1) {
    if (path[0] == "healthz") return text_answer("text/plain; charset=utf-8", "ok");
    if (path[0] == "readyz") return ready(request);
    if (path[0] == "metrics") return metrics();
    return no_such_page();
  }
  if (path.size() < 3 || path.size() > 4 || path[0] != "api" || path[1] != "v1") return no_such_page();
  if (path.size() == 4) return path[2] == "circuits" ? circuit(request) : no_such_page();
  if (path[2] == "session") return session(request);
  if (path[2] == "circuits") return {.body = board_.document()};
  if (path[2] == "audit") return json_answer("{\"entries\":" + audit_.list() + "}");
  if (path[2] == "events") return text_answer("text/event-stream", {});  // GET is a stream and does not come here
  if (const asset* const file = path[2] == "openapi.json" ? find_asset("/api/v1/openapi.json") : nullptr) {
    return text_answer(file->content_type, std::string(file->bytes));
  }
  return no_such_page();
}

web_answer api::session(const web_request& request) const {
  std::string out;
  json_object object(out);
  object.number("version", 1U)
      .text("switchgear", SWITCHGEAR_VERSION)
      .text("title", options_.title)
      .boolean("read_only", options_.read_only)
      .boolean("can_act", request.may_act)
      .text("actions", !options_.token.empty() && !options_.read_only ? "on" : "off")
      .boolean("reading_needs_token", needs_token_for_reading(options_))
      .boolean("token_ok", request.knows_token)
      .number("refresh_ms", std::chrono::duration<double, std::milli>(options_.refresh).count());
  json_list(object.member("critical"), options_.critical, [&](const std::string& p) { out += json_string(p); });
  object.end();
  return json_answer(std::move(out));
}

web_answer api::ready(const web_request& request) {
  std::vector<std::string> open;
  if (options_.ready == readiness::no_critical_open) open = board_.critical_open();
  std::string out;
  json_object object(out);
  object.boolean("ready", open.empty());
  const bool may_know = request.knows_token || !needs_token_for_reading(options_);
  json_list(object.member("open"), may_know ? open : std::vector<std::string>{},
            [&](const std::string& name) { out += json_string(name); });
  object.end();
  web_answer answer = json_answer(std::move(out));
  answer.status = open.empty() ? 200 : 503;
  return answer;
}

web_answer api::metrics() {
  std::vector<::prometheus::MetricFamily> all;
  // A family stands once in the text, whoever knows something of it.
  const auto take = [&](std::vector<::prometheus::MetricFamily> more) {
    for (auto& family : more) {
      const auto same = std::ranges::find(all, family.name, &::prometheus::MetricFamily::name);
      if (same == all.end()) {
        all.push_back(std::move(family));
      } else {
        std::ranges::move(family.metric, std::back_inserter(same->metric));
      }
    }
  };
  const std::string why = error_of([&] { take(collector_.Collect()); });
  if (!why.empty()) return error_answer(503, "unavailable", "the metrics cannot be collected: " + why);
  for (const auto& other : options_.collectables) {
    const std::string failure = error_of([&] {
      if (other) take(other->Collect());
    });
    if (!failure.empty()) notice("a collectable of /metrics failed and was left out: " + failure);
  }
  return text_answer("text/plain; version=0.0.4; charset=utf-8", to_prometheus_text(all));
}

web_answer api::circuit(const web_request& request) {
  const std::string& name = request.path[3];
  const std::string_view instance = request.parameter("instance");
  auto view = board_.find(name, instance);
  if (!view) return no_such_circuit(name, instance);
  const std::string found = view->row.reading.instance;
  std::optional<circuit_detail> more;
  const std::string why = error_of([&] { more = source_->detail(name, found); });
  if (!why.empty()) return error_answer(503, "unavailable", "the circuit cannot be read: " + why);
  if (!more) return no_such_circuit(name, instance);  // it has gone since the last refresh
  return json_answer(circuit_document(std::move(*view), std::move(*more), audit_.list(name, found)));
}

// --- acting ---

web_answer api::act(const web_request& request, circuit_action::kind what) {
  if (!request.may_act) {  // who asks has been told why by access already; this is the lock behind the door
    if (options_.read_only || options_.token.empty()) return error_answer(403, "read_only", "nobody can act here");
    if (!request.knows_token) return error_answer(401, "token_missing", "an action needs the token: Authorization: Bearer TOKEN");
    return error_answer(403, "foreign_origin", "actions are taken from the dashboard's own page only");
  }
  if (request.content_type != "application/json") {
    return error_answer(415, "not_json", "the body of an action has to be JSON, with Content-Type: application/json");
  }
  circuit_action action{.what = what, .name = request.path[3], .instance = {}, .owner = {}, .reason = {}, .ttl = {}};
  if (const std::string wrong = read_action_body(request.body, action); !wrong.empty()) {
    return error_answer(400, "bad_request", wrong);
  }
  action.instance = request.parameter("instance");
  const std::lock_guard one_at_a_time(acting_);
  if (!board_.has(action.name, action.instance)) refresh();  // it may be younger than the last one
  if (action.instance.empty() && board_.count(action.name) > 1) {
    return error_answer(400, "bad_request", "several circuits have that name: say which with ?instance=ID");
  }
  return act_on(std::move(action), request);
}

web_answer api::act_on(circuit_action action, const web_request& request) {
  const auto before = board_.find(action.name, action.instance);
  if (!before) return no_such_circuit(action.name, action.instance);
  action.instance = before->row.reading.instance;
  audit_entry entry{.time = std::chrono::system_clock::now(), .action = action, .outcome = "intended", .peer = request.peer};
  const auto id = audit_.intend(entry);
  if (!id) {
    const std::string problem = audit_.problem().value_or("the audit file cannot be written");
    notice(problem);
    return error_answer(500, "audit_failed", problem);
  }

  using kind = action_outcome::kind;
  action_outcome outcome{kind::refused, before->row.reading.not_operable};
  bool failed = false;
  if (outcome.message.empty()) {
    const std::string why = error_of([&] { outcome = source_->act(action); });
    failed = !why.empty();
    if (failed) outcome = {kind::refused, "the action failed: " + why};
  }
  entry.outcome = outcome.what == kind::done ? "done" : outcome.what == kind::nothing_to_do ? "nothing_to_do" : "refused";
  entry.message = outcome.message;
  if (entry.message.empty() && outcome.what == kind::unknown) entry.message = "there is no such circuit any more";
  if (entry.message.empty() && outcome.what == kind::refused) entry.message = "the circuit cannot be acted on here";
  if (!audit_.finish(*id, entry)) {
    notice("what became of an action could not be written to the audit file; that it was intended stands there");
  }
  feed_.tell(server_sent_event("audit", to_json(entry)));
  refresh();

  if (outcome.what == kind::unknown) return no_such_circuit(action.name, action.instance);
  if (outcome.what == kind::refused) {
    notice(std::string(to_string(action.what)) + " of circuit " + action.name + " for " + request.peer +
           " was refused: " + entry.message);
    return failed ? error_answer(503, "unavailable", entry.message) : error_answer(409, "not_operable", entry.message);
  }
  if (outcome.what == kind::done) actions_.fetch_add(1, std::memory_order_relaxed);
  const auto after = board_.find(action.name, action.instance);
  std::string out;
  json_object(out)
      .text("outcome", entry.outcome)
      .text("message", entry.message)
      .raw("circuit", after ? after->row_text : before->row_text)
      .end();
  return json_answer(std::move(out));
}

}  // namespace switchgear::inline v1::detail
