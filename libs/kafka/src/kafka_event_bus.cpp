// SPDX-License-Identifier: Apache-2.0
#include <switchgear/adapter.hpp>
#include <switchgear/kafka_event_bus.hpp>

#include "listener.hpp"
#include "producer.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>

namespace switchgear::inline v1 {
namespace {

using time = std::chrono::steady_clock;

constexpr std::size_t most_headers = 32;

/// One record on its way, known to who waits and to librdkafka.
struct pending {
  std::mutex mutex;
  std::condition_variable changed;
  bool decided = false;
  int code = 0;
};

adapter_options options_of(const kafka_event_bus::config& c) {
  adapter_options o;
  o.breaker = presets::omnibase_infra();
  o.breaker.failure_threshold = c.circuit_breaker_threshold;
  o.breaker.open_duration = c.circuit_breaker_reset_timeout;
  o.shared_breaker = c.shared_breaker;
  o.retry = c.retry;
  o.clock = c.clock;
  return o;
}

kafka_properties connection_of(const kafka_event_bus::config& c) {
  return kafka::connection_properties(c.bootstrap_servers, c.delivery_timeout, c.reconnect_backoff, c.max_reconnect_backoff);
}

kafka_properties producer_of(const kafka_event_bus::config& c) {
  kafka_properties p = connection_of(c);
  p["enable.idempotence"] = "true";
  p["linger.ms"] = "0";
  p["message.timeout.ms"] = kafka::milliseconds(c.delivery_timeout);
  // So that a topic that does not exist is known as such before the record times out, which would be held against the broker.
  p["topic.metadata.propagation.max.ms"] = kafka::milliseconds(c.delivery_timeout / 4);
  p["retry.backoff.ms"] = kafka::milliseconds(c.reconnect_backoff);
  p["statistics.interval.ms"] = kafka::milliseconds(c.health_interval);
  return p;
}

bool is_topic_name(std::string_view name) {
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

std::string correlation_id_of(const kafka_event_bus::message_options& o) {
  if (!o.correlation_id.empty()) return o.correlation_id;
  for (const char* wanted : {"correlation_id", "x-correlation-id"}) {
    for (const auto& [name, value] : o.headers) {
      if (name == wanted && !value.empty()) return value;
    }
  }
  return {};
}

kafka_event_bus::config checked(kafka_event_bus::config c) {
  if (auto problems = c.validate(); !problems.empty()) throw config_error(std::move(problems));
  return c;
}

}  // namespace

struct kafka_event_bus::parts final : public kafka::producer::owner {
  explicit parts(config c)
      : settings(checked(std::move(c))), guarded("kafka", "kafka." + settings.environment, options_of(settings), rules()) {
    (void)kafka::make_conf(producer_of(settings), settings.client_options, {});
  }

  void delivered(void* what, int code) noexcept override {
    const std::unique_ptr<std::shared_ptr<pending>> held(static_cast<std::shared_ptr<pending>*>(what));
    {
      const std::lock_guard lock((*held)->mutex);
      (*held)->decided = true;
      (*held)->code = code;
    }
    (*held)->changed.notify_all();
  }
  void connection_changed(bool, const std::string&) noexcept override {}

  /// The producer that is in use; a new one where there is none or it is beyond repair.
  std::shared_ptr<kafka::producer> current() {
    std::shared_ptr<kafka::producer> broken;  // destroyed outside the lock
    const std::lock_guard lock(mutex);
    if (closed) throw cancelled_error("the bus is closed");
    if (sending && sending->broken()) broken.swap(sending);
    if (!sending) {
      sending = std::make_shared<kafka::producer>(
          kafka::make_conf(producer_of(settings), settings.client_options, {}), settings.client_options, *this);
    }
    return sending;
  }

  void publish_once(const adapter::attempt& a, const kafka::record& r) {
    const auto waiting = std::make_shared<pending>();
    const auto begun = time::now();
    std::weak_ptr<kafka::producer> sender;
    int refused = 0;
    {
      // Not held while waiting: close() then has the last of it. When this is the last, delivered() is called from here.
      const std::shared_ptr<kafka::producer> through = current();
      auto* const held = new std::shared_ptr<pending>(waiting);  // comes back in delivered()
      sender = through;
      refused = through->send(r, held);
      if (refused != 0) delete held;
    }
    if (refused != 0) fail(a, r, refused);

    std::unique_lock lock(waiting->mutex);
    const std::stop_callback wake(a.stop, [&waiting, mine = std::this_thread::get_id()] {
      // Called at once, on this thread and under its lock, when the stop was requested before.
      if (std::this_thread::get_id() == mine) return;
      { const std::lock_guard ordered(waiting->mutex); }
      waiting->changed.notify_all();
    });
    const auto over = [&] { return waiting->decided || a.stop.stop_requested(); };
    if (!waiting->changed.wait_until(lock, begun + settings.delivery_timeout / 4, over)) {
      // What librdkafka waits for may be something that nobody will ever grant.
      lock.unlock();
      if (auto through = sender.lock()) refused = through->refusal_of(r.topic, settings.delivery_timeout / 4);
      lock.lock();
      if (refused == 0) waiting->changed.wait_until(lock, begun + settings.delivery_timeout, over);
    }
    const bool decided = waiting->decided;
    const int code = waiting->code;
    lock.unlock();
    if (!decided && a.stop.stop_requested()) throw cancelled_error("the caller gave up waiting for the delivery report");
    if (!decided && refused != 0) fail(a, r, refused);
    if (!decided) fail(a, r, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
    if (code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
      throw cancelled_error("the bus was closed while the record was under way");
    }
    if (code != 0) fail(a, r, code);
  }

  [[noreturn]] void fail(const adapter::attempt& a, const kafka::record& r, int code) const {
    const std::string text = rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code));
    const std::string name = kafka::name_of(code);
    if (kafka::judge(code) == verdict::ignored) {
      throw a.refused("Failed to publish to " + std::string(r.topic) + ": " + text + " (" + name + ")", name);
    }
    throw kafka_error(text + " (" + name + ")", code);
  }

  /// Lets go of those that ended. Not those whose handler is calling this.
  void reap(std::vector<std::shared_ptr<kafka::listener>>& gone) {
    std::erase_if(listeners, [&](auto& l) {
      if (!l->stopped() || l->is_here()) return false;
      gone.push_back(std::move(l));
      return true;
    });
  }

  const config settings;
  const adapter guarded;
  mutable std::mutex mutex;
  bool closed = false;
  std::shared_ptr<kafka::producer> sending;
  std::vector<std::shared_ptr<kafka::listener>> listeners;
  std::shared_ptr<kafka::listener::counters> counted = std::make_shared<kafka::listener::counters>();
};

classifier kafka_event_bus::rules() {
  return classifier{}.ignore<refused_error>().judge_exception<kafka_error>(
      [](const kafka_error& e) { return kafka::judge(e.code()); });
}

kafka_event_bus::kafka_event_bus(config c) : parts_(std::make_unique<parts>(std::move(c))) {}
kafka_event_bus::~kafka_event_bus() { close(); }

std::unique_ptr<kafka_event_bus> kafka_event_bus::make_default() {
  return std::make_unique<kafka_event_bus>(config::from_env());
}

void kafka_event_bus::start() {
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->closed = false;
  }
  (void)parts_->current();
}

void kafka_event_bus::close() noexcept {
  std::shared_ptr<kafka::producer> last;
  std::vector<std::shared_ptr<kafka::listener>> ending;
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->closed = true;
    last.swap(parts_->sending);
    ending.swap(parts_->listeners);
  }
  const auto until = time::now() + parts_->settings.close_timeout;
  for (const auto& l : ending) l->ask_to_stop();
  for (const auto& l : ending) l->stop();
  while (last && last->queued() != 0 && time::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void kafka_event_bus::publish(std::string_view topic, std::optional<std::string_view> key,
                              std::optional<std::string_view> value) {
  publish(topic, key, value, {});
}

void kafka_event_bus::publish(std::string_view topic, std::optional<std::string_view> key,
                              std::optional<std::string_view> value, const message_options& options) {
  const std::string name(topic);
  const operation_options operation{.correlation_id = correlation_id_of(options), .stop = options.stop};
  parts_->guarded.repeat("publish", "Failed to publish to " + name, operation, [&](const adapter::attempt& a) {
    if (!is_topic_name(name)) throw a.refused("Failed to publish: not a name for a topic", "TOPIC_EXCEPTION");
    if (options.headers.size() > most_headers) throw a.refused("Failed to publish to " + name + ": too many headers");
    kafka::record r{.topic = name.c_str(), .key = key, .value = value};
    for (const auto& [header, text] : options.headers) {
      if (header != "correlation_id") r.headers.emplace_back(header, text);
    }
    r.headers.emplace_back("correlation_id", a.correlation_id);
    parts_->publish_once(a, r);
  });
}

subscription kafka_event_bus::subscribe(std::string_view topic, handler h) { return subscribe(topic, std::move(h), {}); }

subscription kafka_event_bus::subscribe(std::string_view topic, handler h, const listen_options& how) {
  if (!is_topic_name(topic)) throw config_error({{"topic", "", "letters, digits, '.', '_', '-'", "not a name for a topic"}});
  const config& c = parts_->settings;
  kafka::listener::settings s{.topic = std::string(topic),
                              .properties = connection_of(c),
                              .users = c.client_options,
                              .broadcast = how.broadcast,
                              .refresh = c.refresh_interval,
                              .close_limit = c.close_timeout};
  s.properties.merge(kafka::reading_properties());
  s.properties["topic.metadata.refresh.interval.ms"] = kafka::milliseconds(c.refresh_interval, 10);
  s.fixed["enable.auto.offset.store"] = "false";
  if (!how.broadcast) {
    s.fixed["group.id"] = how.group.empty() ? c.group : how.group;
    s.properties["auto.commit.interval.ms"] = "1000";
    s.properties["auto.offset.reset"] = how.from_beginning ? "earliest" : "latest";
  }
  (void)parts_->current();
  auto added = std::make_shared<kafka::listener>(std::move(s), std::move(h), parts_->counted);
  std::vector<std::shared_ptr<kafka::listener>> gone;  // ended outside the lock
  {
    const std::lock_guard lock(parts_->mutex);
    if (parts_->closed) throw cancelled_error("the bus is closed");
    parts_->reap(gone);
    parts_->listeners.push_back(added);
  }
  return subscription([added] { added->stop(); });
}

kafka_event_bus::health_report kafka_event_bus::health() const {
  health_report report;
  report.circuit = breaker().state();
  report.messages = parts_->counted->messages.load(std::memory_order_relaxed);
  report.handler_errors = parts_->counted->handler_errors.load(std::memory_order_relaxed);
  const std::lock_guard lock(parts_->mutex);
  for (const auto& l : parts_->listeners) {
    if (l->stopped()) continue;
    ++report.listeners;
    if (l->ready()) ++report.listeners_ready;
  }
  if (!parts_->sending) return report;
  report.started = true;
  report.brokers_connected = parts_->sending->brokers_up();
  report.queued_messages = parts_->sending->queued();
  report.last_error = parts_->sending->last_error();
  report.healthy = parts_->sending->connected() && report.circuit != state::open && report.circuit != state::forced_open;
  return report;
}

circuit_breaker& kafka_event_bus::breaker() const noexcept { return parts_->guarded.breaker(); }

}  // namespace switchgear::inline v1
