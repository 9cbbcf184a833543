// Lists of buffers (gssapi_ext.h): which buffers there are, and the parts of a message in them.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "mech/spi/protection.h"

namespace gssntlm::spi {

inline constexpr Error kBadList{Major::kFailure, Minor::kBadIov};

using IovSpan = std::span<gss_iov_buffer_desc>;

inline OM_uint32 type_of(const gss_iov_buffer_desc& iov) noexcept {
  return GSS_IOV_BUFFER_TYPE(iov.type);
}
inline bool wants_memory(const gss_iov_buffer_desc& iov) noexcept {
  return (iov.type & GSS_IOV_BUFFER_FLAG_ALLOCATE) != 0;
}

/// Which buffers a list has. Those of which there may be one are remembered.
struct Layout {
  gss_iov_buffer_desc* header = nullptr;
  gss_iov_buffer_desc* padding = nullptr;
  gss_iov_buffer_desc* trailer = nullptr;
  gss_iov_buffer_desc* stream = nullptr;
  gss_iov_buffer_desc* mic = nullptr;
  gss_iov_buffer_desc* data = nullptr;  // the first
  std::size_t data_count = 0;
  std::size_t signed_count = 0;  // SIGN_ONLY
};

/// Error: FAILURE kBadIov for an unknown kind, or a second buffer of a kind that there may be one
/// of.
[[nodiscard]] Result<Layout> read_layout(IovSpan list) noexcept;

/// A list that is wrapped, or unwrapped without STREAM: HEADER and DATA, no MIC_TOKEN.
inline bool is_message(const Layout& l) noexcept {
  return l.header != nullptr && l.data != nullptr && l.mic == nullptr && l.stream == nullptr;
}
inline bool is_stream(const Layout& l) noexcept {
  return l.stream != nullptr && l.data_count == 1 && l.header == nullptr && l.mic == nullptr;
}
inline bool is_mic(const Layout& l) noexcept {
  return l.mic != nullptr && l.header == nullptr && l.stream == nullptr;
}

/// Whether a buffer of the type, or of DATA or SIGN_ONLY, has a length without bytes.
[[nodiscard]] bool has_broken(IovSpan list, OM_uint32 type) noexcept;
[[nodiscard]] bool has_broken(IovSpan list) noexcept;

/// The parts of a message; as many as usual take no allocation.
class Parts {
 public:
  explicit Parts(std::size_t capacity) {
    if (capacity > kUsual) {
      more_.reserve(capacity);
    }
  }
  // Throws nothing: the room was made before.
  void add(const MessagePart& part) noexcept {
    if (more_.capacity() != 0) {
      more_.push_back(part);
    } else {
      few_[count_] = part;
    }
    ++count_;
  }
  [[nodiscard]] std::span<MessagePart> span() noexcept {
    return more_.capacity() != 0 ? std::span<MessagePart>(more_)
                                 : std::span<MessagePart>(few_).first(count_);
  }

 private:
  static constexpr std::size_t kUsual = 16;
  std::array<MessagePart, kUsual> few_;
  std::vector<MessagePart> more_;
  std::size_t count_ = 0;
};

/// DATA and SIGN_ONLY in the list's order. `stream_data` stands for the DATA of a stream.
void gather(IovSpan list, bool sealed, const MessagePart* stream_data, Parts& parts) noexcept;

inline std::size_t part_count(const Layout& layout) noexcept {
  return layout.data_count + layout.signed_count;
}

/// Room for the signature: the caller's, or memory that becomes the caller's by keep().
class SignatureRoom {
 public:
  explicit SignatureRoom(gss_iov_buffer_desc& iov) : iov_(iov) {
    if (wants_memory(iov)) {
      own_ = Buffer(kSignatureSize);
    }
  }
  [[nodiscard]] bool ok() const noexcept {
    return own_.size() != 0 ||
           (iov_.buffer.value != nullptr && iov_.buffer.length >= kSignatureSize);
  }
  void keep(const Signature& signature) noexcept {
    if (own_.size() != 0) {
      iov_.buffer.value = own_.release();
      iov_.type |= GSS_IOV_BUFFER_FLAG_ALLOCATED;
    }
    iov_.buffer.length = kSignatureSize;
    std::copy(signature.begin(), signature.end(), static_cast<std::uint8_t*>(iov_.buffer.value));
  }

 private:
  gss_iov_buffer_desc& iov_;
  Buffer own_;
};

/// NTLM has neither padding nor trailer.
void empty_out(gss_iov_buffer_desc* iov) noexcept;

}  // namespace gssntlm::spi
