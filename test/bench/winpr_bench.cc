// WinPR's NTLM, both ends in one process, under the names that bench_gss has for the same work.
// EncryptMessage works in place, as gss_wrap_iov does.
#include <benchmark/benchmark.h>

#include <winpr/ntlm.h>
#include <winpr/ssl.h>
#include <winpr/sspi.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include "test/bench/works.h"

namespace gssntlm::bench {
namespace {

constexpr ULONG kSignatureSize = 16;
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

SecurityFunctionTableA& table() {
  static SecurityFunctionTableA* functions = InitSecurityInterfaceExA(0);
  return *functions;
}

void need(const char* what, SECURITY_STATUS status) {
  if (status < 0) {
    std::fprintf(stderr, "%s: 0x%08x\n", what, static_cast<unsigned>(status));
    std::exit(1);
  }
}

// The file of accounts, with alice's hash.
class Accounts {
 public:
  Accounts() {
    ::setenv("WLOG_LEVEL", "OFF", 0);
    winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT);  // MD4 needs it
    const int file = ::mkstemp(path_.data());
    BYTE hash[16];
    NTOWFv1A(const_cast<char*>(kPassword), static_cast<UINT32>(std::strlen(kPassword)), hash);
    std::string line = "alice:BENCH::";
    for (const BYTE b : hash) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", b);
      line.append(digits);
    }
    line.append(":::\n");
    if (file < 0 || ::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      need("the file of accounts", -1);
    }
    ::close(file);
  }
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;
  ~Accounts() { ::unlink(path_.c_str()); }
  std::string& path() { return path_; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "gss-ntlm-bench-XXXXXX";
};

struct Ends {
  CtxtHandle initiator{};
  CtxtHandle acceptor{};

  Ends() = default;
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    table().DeleteSecurityContext(&initiator);
    table().DeleteSecurityContext(&acceptor);
  }
};

class Winpr {
 public:
  Winpr() {
    const auto bytes = [](const char* text) {
      return reinterpret_cast<BYTE*>(const_cast<char*>(text));
    };
    SEC_WINNT_AUTH_IDENTITY_A id{};
    id.User = bytes("alice");
    id.UserLength = 5;
    id.Domain = bytes("BENCH");
    id.DomainLength = 5;
    id.Password = bytes(kPassword);
    id.PasswordLength = static_cast<UINT32>(std::strlen(kPassword));
    id.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
    acquire(SECPKG_CRED_OUTBOUND, &id, client_);
    acquire_server();
  }
  Winpr(const Winpr&) = delete;
  Winpr& operator=(const Winpr&) = delete;
  ~Winpr() {
    table().FreeCredentialsHandle(&client_);
    table().FreeCredentialsHandle(&server_);
  }

  void handshake(Ends& ends) {
    std::vector<BYTE> a(4096);
    std::vector<BYTE> b(4096);
    SecBuffer from_client = {static_cast<ULONG>(a.size()), SECBUFFER_TOKEN, a.data()};
    SecBuffer from_server = {static_cast<ULONG>(b.size()), SECBUFFER_TOKEN, b.data()};
    SecBufferDesc client = {SECBUFFER_VERSION, 1, &from_client};
    SecBufferDesc server = {SECBUFFER_VERSION, 1, &from_server};
    initiate(ends, nullptr, nullptr, client);
    accept(ends, nullptr, client, server);
    name_accounts(ends);
    from_client.cbBuffer = static_cast<ULONG>(a.size());
    initiate(ends, &ends.initiator, &server, client);
    from_server.cbBuffer = static_cast<ULONG>(b.size());
    accept(ends, &ends.acceptor, client, server);
    need("CompleteAuthToken", table().CompleteAuthToken(&ends.acceptor, &server));
  }

 private:
  // WinPR 2 is told of the accounts in each exchange, WinPR 3 with the credential.
  void acquire_server() {
#ifdef SECPKG_ATTR_AUTH_NTLM_SAM_FILE
    acquire(SECPKG_CRED_INBOUND, nullptr, server_);
#else
    SEC_WINPR_NTLM_SETTINGS settings{};
    settings.samFile = accounts_.path().data();
    SEC_WINNT_AUTH_IDENTITY_WINPR id{};
    id.identity.Version = SEC_WINNT_AUTH_IDENTITY_VERSION;
    id.identity.Length = sizeof id.identity;
    id.identity.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_EXTENDED;
    id.ntlmSettings = &settings;
    acquire(SECPKG_CRED_INBOUND, &id, server_);
#endif
  }
  void name_accounts([[maybe_unused]] Ends& ends) {
#ifdef SECPKG_ATTR_AUTH_NTLM_SAM_FILE
    std::string& path = accounts_.path();
    need("the accounts",
         table().SetContextAttributesA(&ends.acceptor, SECPKG_ATTR_AUTH_NTLM_SAM_FILE, path.data(),
                                       static_cast<ULONG>(path.size() + 1)));
#endif
  }
  static void acquire(ULONG use, void* identity, ::CredHandle& handle) {
    TimeStamp expiry{};
    need("AcquireCredentialsHandle",
         table().AcquireCredentialsHandleA(nullptr, const_cast<char*>("NTLM"), use, nullptr,
                                           identity, nullptr, nullptr, &handle, &expiry));
  }
  void initiate(Ends& ends, CtxtHandle* context, SecBufferDesc* in, SecBufferDesc& out) {
    ULONG attributes = 0;
    TimeStamp expiry{};
    need("InitializeSecurityContext",
         table().InitializeSecurityContextA(
             &client_, context, const_cast<char*>("HTTP/server.example"),
             ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_MUTUAL_AUTH, 0, 0, in, 0,
             &ends.initiator, &out, &attributes, &expiry));
  }
  void accept(Ends& ends, CtxtHandle* context, SecBufferDesc& in, SecBufferDesc& out) {
    ULONG attributes = 0;
    TimeStamp expiry{};
    need("AcceptSecurityContext",
         table().AcceptSecurityContext(&server_, context, &in, ASC_REQ_CONFIDENTIALITY, 0,
                                       &ends.acceptor, &out, &attributes, &expiry));
  }

  Accounts accounts_;
  ::CredHandle client_{};
  ::CredHandle server_{};
};

void handshake(benchmark::State& state) {
  Winpr winpr;
  for (auto iteration : state) {
    (void)iteration;
    Ends ends;
    winpr.handshake(ends);
  }
}

void messages(benchmark::State& state, bool first_counts) {
  Winpr winpr;
  Ends ends;
  winpr.handshake(ends);
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::size_t batch = std::clamp<std::size_t>(kBatchBytes / size, 1, 256);
  std::vector<std::vector<BYTE>> texts(batch, std::vector<BYTE>(size + kSignatureSize, 'm'));
  ULONG sequence = 0;
  const auto each = [&](auto call) {
    ULONG number = sequence;
    const double begin = now();
    for (std::vector<BYTE>& text : texts) {
      SecBuffer buffers[2] = {{static_cast<ULONG>(size), SECBUFFER_DATA, text.data()},
                              {kSignatureSize, SECBUFFER_TOKEN, text.data() + size}};
      SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
      call(message, number++);
    }
    return now() - begin;
  };
  while (state.KeepRunningBatch(static_cast<std::int64_t>(batch))) {
    const double sealing = each([&](SecBufferDesc& message, ULONG number) {
      need("EncryptMessage", table().EncryptMessage(&ends.initiator, 0, &message, number));
    });
    const double opening = each([&](SecBufferDesc& message, ULONG number) {
      need("DecryptMessage", table().DecryptMessage(&ends.acceptor, &message, number, nullptr));
    });
    sequence += static_cast<ULONG>(batch);
    state.SetIterationTime(first_counts ? sealing : opening);
  }
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->UseManualTime();
  for (const std::int64_t size : {16, 1024, 4096, 65536, 1048576}) {
    bench->Arg(size);
  }
}

BENCHMARK(handshake)->Name("handshake/raw")->UseRealTime();
BENCHMARK_CAPTURE(messages, seal, true)->Name("iovs/wrap_iov")->Apply(sizes);
BENCHMARK_CAPTURE(messages, open, false)->Name("iovs/unwrap_iov")->Apply(sizes);

}  // namespace
}  // namespace gssntlm::bench

BENCHMARK_MAIN();
