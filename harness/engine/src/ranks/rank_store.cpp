#include "petlab/engine/rank_store.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/rank_group.hpp"
#include "petlab/engine/stop_request.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef PETLAB_HAS_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif

#include <arpa/inet.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

namespace petlab::engine {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

/// A socket that listens on a free port of the loopback interface; c10d's own would listen on all.
std::pair<int, std::uint16_t> listen_locally() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (descriptor < 0 || ::bind(descriptor, generic, length) != 0 ||
      ::listen(descriptor, SOMAXCONN) != 0 || ::getsockname(descriptor, generic, &length) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor >= 0) ::close(descriptor);
    throw base::Error(base::ErrorKind::device,
                      "no port of 127.0.0.1 for the ranks of a run: " + reason);
  }
  return {descriptor, ntohs(address.sin_port)};
}

/// The first line of what c10d says, without the place in its sources that stands before it; the
/// other lines are a stack.
std::string first_line(const std::exception& error) {
  std::string text = error.what();
  text.resize(std::min(text.size(), text.find('\n')));
  const std::size_t end = text.find("] ");
  if (text.starts_with('[') && end != std::string::npos) text.erase(0, end + 2);
  return base::message_line(text, 120);
}

template <class Work>
auto reached(const std::string& address, std::uint16_t port, Work&& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    throw base::Error(base::ErrorKind::device, "the store of the ranks at " + address + ":" +
                                                   std::to_string(port) +
                                                   " cannot be used: " + first_line(error));
  }
}

#ifdef PETLAB_HAS_GLOO

/// Only a process that stands still is waited for this long; one that ends is noticed at once.
constexpr std::chrono::minutes kPatience{30};

[[noreturn]] void stop_for(const std::string& what) {
  std::cerr << "petlab: " << what << "; the run goes on from its checkpoint when it is called again"
            << std::endl;
  throw RunStopped();
}

class GlooGroup final : public RankGroup {
 public:
  GlooGroup(const RankPlace& place, const c10::intrusive_ptr<c10d::Store>& store)
      : rank_(place.rank), size_(place.size) {
    auto options = c10d::ProcessGroupGloo::Options::create(kPatience);
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    const bool is_local = place.address == kLoopback || place.address == "localhost";
    options->devices.push_back(is_local ? c10d::ProcessGroupGloo::createDeviceForHostname(kLoopback)
                               : interface != nullptr
                                   ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                   : c10d::ProcessGroupGloo::createDefaultDevice());
    group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank_, size_, options);
    const at::Tensor ranks = gather(at::full({1}, rank_, at::kLong));
    for (std::int64_t rank = 0; rank < size_; ++rank)
      if (ranks[rank].item<std::int64_t>() != rank)
        throw base::Error(base::ErrorKind::internal,
                          "Gloo of this LibTorch sends other values than it was given");
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  [[nodiscard]] at::Tensor gather(const at::Tensor& mine) override {
    std::vector<std::int64_t> sizes = mine.sizes().vec();
    sizes.insert(sizes.begin(), size_);
    at::Tensor all = at::empty({size_ * mine.numel()}, mine.options());
    at::Tensor flat = mine.reshape({-1});
    try {
      group_->_allgather_base(all, flat)->wait();
    } catch (const std::exception& error) {
      stop_for("rank " + std::to_string(rank_) + ": another rank is gone (" + first_line(error) +
               ")");
    }
    return all.view(sizes);
  }

 private:
  int rank_;
  int size_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

#endif

}  // namespace

struct RankStore::Impl {
  std::string address;
  std::uint16_t port = 0;
  c10::intrusive_ptr<c10d::TCPStore> store = {};
};

RankStore::RankStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RankStore::~RankStore() = default;

std::unique_ptr<RankStore> RankStore::serve_locally() {
  const auto [descriptor, port] = listen_locally();
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = true;
  options.waitWorkers = false;
  options.masterListenFd = descriptor;
  auto impl = std::make_unique<Impl>(Impl{.address = kLoopback, .port = port});
  impl->store = reached(impl->address, port,
                        [&] { return c10::make_intrusive<c10d::TCPStore>(kLoopback, options); });
  return std::unique_ptr<RankStore>(new RankStore(std::move(impl)));
}

std::unique_ptr<RankStore> RankStore::open(const std::string& address, std::uint16_t port,
                                           bool is_server, std::chrono::seconds patience) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = is_server;
  options.waitWorkers = false;
  options.timeout = patience;
  auto impl = std::make_unique<Impl>(Impl{.address = address, .port = port});
  impl->store =
      reached(address, port, [&] { return c10::make_intrusive<c10d::TCPStore>(address, options); });
  return std::unique_ptr<RankStore>(new RankStore(std::move(impl)));
}

const std::string& RankStore::address() const {
  return impl_->address;
}

std::uint16_t RankStore::port() const {
  return impl_->port;
}

void RankStore::set(const std::string& key, const std::string& text) {
  reached(impl_->address, impl_->port, [&] {
    impl_->store->set(key, std::vector<std::uint8_t>(text.begin(), text.end()));
    // A set() has no answer; this has one, and comes behind it.
    impl_->store->check({key});
  });
}

std::optional<std::string> RankStore::get(const std::string& key,
                                          std::chrono::milliseconds patience) const {
  return reached(impl_->address, impl_->port, [&]() -> std::optional<std::string> {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!impl_->store->check({key})) {
      if (std::chrono::steady_clock::now() >= end) return std::nullopt;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const std::vector<std::uint8_t> bytes = impl_->store->get(key);
    return std::string(bytes.begin(), bytes.end());
  });
}

#ifdef PETLAB_HAS_GLOO

bool has_ranks() {
  return true;
}

std::shared_ptr<RankGroup> join_ranks(const RankPlace& place) {
  try {
    const auto store = RankStore::open(place.address, place.port, false);
    return std::make_shared<GlooGroup>(
        place, c10::make_intrusive<c10d::PrefixStore>(place.key, store->impl_->store));
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::device) throw;
    stop_for("rank " + std::to_string(place.rank) + ": " + error.what());
  } catch (const std::exception& error) {
    stop_for("rank " + std::to_string(place.rank) + " cannot meet the others (" +
             first_line(error) + ")");
  }
}

#else

bool has_ranks() {
  return false;
}

std::shared_ptr<RankGroup> join_ranks(const RankPlace&) {
  throw base::Error(base::ErrorKind::config,
                    "this petlab was built without Gloo, which several ranks need: install the "
                    "headers of gloo (Debian: libgloo-dev) and build again");
}

#endif

}  // namespace petlab::engine
