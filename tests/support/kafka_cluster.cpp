// SPDX-License-Identifier: Apache-2.0
#include "kafka_cluster.hpp"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace test_support {
namespace {

void be_silent(const rd_kafka_t*, int, const char*, const char*) {}

rd_kafka_t* make_client(rd_kafka_type_t type, const std::vector<std::pair<const char*, std::string>>& options) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, &be_silent);
  std::array<char, 512> why{};
  for (const auto& [name, value] : options) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error(why.data());
    }
  }
  rd_kafka_t* const client = rd_kafka_new(type, conf, why.data(), why.size());
  if (client == nullptr) throw std::runtime_error(why.data());
  return client;
}

/// The mock cluster at times sleeps for a second over what it is asked to do. A connection wakes it: while this lives, there is
/// one every few milliseconds.
class knocking {
 public:
  explicit knocking(const std::string& brokers) : port_(port_of(brokers)) {
    thread_ = std::thread([this] {
      std::unique_lock lock(mutex_);
      for (bool done = false; !done;) {
        const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port_);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        (void)::connect(one, reinterpret_cast<const sockaddr*>(&to), sizeof to);
        done = changed_.wait_for(lock, std::chrono::milliseconds(5), [this] { return done_; });
        ::close(one);
      }
    });
  }
  knocking(const knocking&) = delete;
  knocking& operator=(const knocking&) = delete;
  ~knocking() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  static std::uint16_t port_of(const std::string& brokers) {
    return static_cast<std::uint16_t>(std::stoi(brokers.substr(brokers.find(':') + 1)));
  }

  const std::uint16_t port_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

kafka_cluster::record copy(const rd_kafka_message_t& from) {
  kafka_cluster::record r;
  if (from.key != nullptr) r.key.emplace(static_cast<const char*>(from.key), from.key_len);
  if (from.payload != nullptr) r.value.emplace(static_cast<const char*>(from.payload), from.len);
  rd_kafka_headers_t* headers = nullptr;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(&from, &headers) == 0) {
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
      r.headers.push_back({name, std::string(static_cast<const char*>(value), size)});
    }
  }
  return r;
}

}  // namespace

struct kafka_cluster::parts {
  std::string brokers;
  rd_kafka_t* client = nullptr;  ///< carries the mock cluster
  rd_kafka_mock_cluster_t* mock = nullptr;
};

kafka_cluster::kafka_cluster(int brokers) : parts_(std::make_unique<parts>()) {
  if (const char* const real_one = std::getenv("KAFKA_BOOTSTRAP"); real_one != nullptr) {
    parts_->brokers = real_one;
    return;
  }
  parts_->client = make_client(RD_KAFKA_PRODUCER, {});
  parts_->mock = rd_kafka_mock_cluster_new(parts_->client, brokers);
  if (parts_->mock == nullptr) throw std::runtime_error("there is no mock cluster");
  parts_->brokers = rd_kafka_mock_cluster_bootstraps(parts_->mock);
}

kafka_cluster::~kafka_cluster() {
  if (parts_->mock != nullptr) {
    const knocking soon(parts_->brokers);
    rd_kafka_mock_cluster_destroy(parts_->mock);
  }
  if (parts_->client != nullptr) rd_kafka_destroy(parts_->client);
}

bool kafka_cluster::real() const noexcept { return parts_->mock == nullptr; }
std::string kafka_cluster::brokers() const { return parts_->brokers; }

std::string kafka_cluster::unused_name() {
  static std::atomic<int> last{0};
  return "switchgear-test-" + std::to_string(::getpid()) + "-" + std::to_string(++last);
}

std::string kafka_cluster::new_topic(int partitions) {
  const std::string name = unused_name();
  if (!real() && rd_kafka_mock_topic_create(parts_->mock, name.c_str(), partitions, 1) != 0) {
    throw std::runtime_error("the topic cannot be made");
  }
  return name;
}

void kafka_cluster::down(int broker) {
  const knocking soon(parts_->brokers);
  rd_kafka_mock_broker_set_down(parts_->mock, broker);
}
void kafka_cluster::up(int broker) { rd_kafka_mock_broker_set_up(parts_->mock, broker); }
void kafka_cluster::set_round_trip(std::chrono::milliseconds d, int broker) {
  const knocking soon(parts_->brokers);
  rd_kafka_mock_broker_set_rtt(parts_->mock, broker, static_cast<int>(d.count()));
}
void kafka_cluster::fail_next(int request, const std::vector<int>& errors) {
  std::vector<rd_kafka_resp_err_t> all;
  for (const int e : errors) all.push_back(static_cast<rd_kafka_resp_err_t>(e));
  rd_kafka_mock_push_request_errors_array(parts_->mock, static_cast<std::int16_t>(request), all.size(), all.data());
}
void kafka_cluster::set_topic_error(const std::string& topic, int error) {
  const knocking soon(parts_->brokers);
  rd_kafka_mock_topic_set_error(parts_->mock, topic.c_str(), static_cast<rd_kafka_resp_err_t>(error));
}

std::string kafka_cluster::record::header_value(const std::string& name) const {
  for (const header& h : headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

std::vector<kafka_cluster::record> kafka_cluster::read(const std::string& topic, std::size_t count,
                                                       std::chrono::seconds limit) const {
  const auto until = std::chrono::steady_clock::now() + limit;
  std::vector<record> found;
  rd_kafka_t* const client = make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers()}, {"fetch.wait.max.ms", "20"}});
  rd_kafka_topic_t* const handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  rd_kafka_queue_t* const queue = rd_kafka_queue_new(client);
  const struct rd_kafka_metadata* answer = nullptr;
  int partitions = 0;
  while (partitions == 0 && std::chrono::steady_clock::now() < until) {
    if (rd_kafka_metadata(client, 0, handle, &answer, 2000) != 0) continue;
    if (answer->topic_cnt == 1 && answer->topics[0].err == 0) partitions = answer->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(answer);
  }
  for (int i = 0; i < partitions; ++i) rd_kafka_consume_start_queue(handle, i, RD_KAFKA_OFFSET_BEGINNING, queue);
  while (found.size() < count && std::chrono::steady_clock::now() < until) {
    rd_kafka_message_t* const message = rd_kafka_consume_queue(queue, 50);
    if (message == nullptr) continue;
    if (message->err == 0) found.push_back(copy(*message));
    rd_kafka_message_destroy(message);
  }
  for (int i = 0; i < partitions; ++i) rd_kafka_consume_stop(handle, i);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(handle);
  rd_kafka_destroy(client);
  return found;
}

void kafka_cluster::write(const std::string& topic, const record& r) const {
  rd_kafka_t* const client = make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers()}, {"linger.ms", "0"}});
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(r.headers.size());
  for (const header& h : r.headers) {
    rd_kafka_header_add(headers, h.name.c_str(), -1, h.value.data(), static_cast<ssize_t>(h.value.size()));
  }
  // Not rd_kafka_producev: its macros are no standard C++.
  std::array<rd_kafka_vu_t, 5> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  parts[0].u.cstr = topic.c_str();
  parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[1].u.i = RD_KAFKA_MSG_F_COPY;
  const auto set = [](rd_kafka_vu_t& part, rd_kafka_vtype_t type, const std::optional<std::string>& text) {
    part.vtype = type;
    part.u.mem.ptr = text ? const_cast<char*>(text->data()) : nullptr;
    part.u.mem.size = text ? text->size() : 0;
  };
  set(parts[2], RD_KAFKA_VTYPE_KEY, r.key);
  set(parts[3], RD_KAFKA_VTYPE_VALUE, r.value);
  parts[4].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[4].u.headers = headers;
  rd_kafka_error_t* const error = rd_kafka_produceva(client, parts.data(), parts.size());
  const bool taken = error == nullptr;
  if (!taken) {
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
  }
  const bool written = taken && rd_kafka_flush(client, 20'000) == 0;
  rd_kafka_destroy(client);
  if (!written) throw std::runtime_error("the record cannot be written");
}

}  // namespace test_support
