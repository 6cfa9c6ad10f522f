// SPDX-License-Identifier: Apache-2.0
//
// Two language models behind circuit breakers: the second answers when the first cannot, and when neither does a decision of
// yours stands in for theirs.
#include "check.hpp"

#include <switchgear/fallback.hpp>
#include <switchgear/llm/client.hpp>
#include <switchgear/llm/decision.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/provider_chain.hpp>

#include <boost/asio.hpp>

#include <thread>

namespace sg = switchgear;
using boost::asio::ip::tcp;

/// Answers every request with the same words, until it is destroyed.
class model_server {
 public:
  explicit model_server(std::string head, std::string body) : answer_("HTTP/1.1 " + head + "\r\nConnection: close\r\n\r\n" + body) {}
  ~model_server() {
    stopping_ = true;
    tcp::iostream("127.0.0.1", std::to_string(port()));  // wakes it up
    thread_.join();
  }
  std::uint16_t port() const { return listening_.local_endpoint().port(); }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port()); }

 private:
  void serve() {
    while (!stopping_) {
      tcp::iostream line;
      listening_.accept(line.socket());
      std::size_t length = 0;
      for (std::string header; std::getline(line, header) && header != "\r";) {
        if (header.starts_with("Content-Length: ")) length = std::stoul(header.substr(16));
      }
      std::string question(length, ' ');
      if (line.read(question.data(), static_cast<std::streamsize>(length)) && length > 0) line << answer_ << std::flush;
    }
  }
  const std::string answer_;
  boost::asio::io_context io_;
  tcp::acceptor listening_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::atomic<bool> stopping_{false};
  std::thread thread_{[this] { serve(); }};
};

int main() {
  const model_server busy("429 Too Many Requests\r\nRetry-After: 20", "");
  const model_server well("200 OK\r\nContent-Type: text/event-stream",
                          "data: {\"choices\":[{\"delta\":{\"content\":\"allow\"}}]}\n\n"
                          "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
  // [models]
  sg::llm::client large{{.address = busy.address(), .model = "large", .api_key = "key"}};
  sg::llm::client small{{.address = well.address(), .model = "small"}};
  const auto ask = [](sg::llm::client& model) {
    return [&model](const std::string& question) {
      return model.stream({.messages = {{"user", question}}}, [](std::string_view piece) { std::cout << piece << std::flush; }).text;
    };
  };
  sg::provider_chain<std::string(const std::string&)> models{{.name = "models"}};
  models.add("large", ask(large)).add("small", ask(small));
  // [/models]
  expect(models("May the agent read this file?") == "allow");  // large has enough for 20 s; that is no evidence against it
  expect(large.breaker().is_closed());

  // [decision]
  sg::llm::client gone{{.address = "http://127.0.0.1:1", .model = "gone"}};
  sg::pipeline judge{sg::fallback(sg::llm::fallback_decision())};  // denies; {.allow = true, .confidence = 0.2} would not
  const sg::llm::decision d = judge([&] { return sg::llm::decision{gone.complete("May it?").text == "allow", 0.9}; });
  // [/decision]
  std::cout << "\n" << (d.allow ? "allowed" : "denied") << ": " << d.reason << "\n";
  expect(!d.allow && d.confidence == 0);
}
