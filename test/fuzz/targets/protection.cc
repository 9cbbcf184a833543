// Messages of established contexts through the real mechglue. Input: which context, then what
// happens.
//
// What was wrapped or signed by one end is opened by the other, in each of the forms that the
// functions know, whatever was refused before: changed, repeated and invented tokens, and lists of
// buffers of any shape. What is refused gives nothing out.
#include <algorithm>
#include <deque>

#include "test/fuzz/glue.h"

namespace gssntlm::fuzz {
namespace {

constexpr std::size_t kSignature = 16;

std::string exported(test::End& end) {
  OM_uint32 minor = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  GSSNTLM_HOLDS(gss_export_sec_context(&minor, &end.context, &token) == GSS_S_COMPLETE);
  std::string text(static_cast<const char*>(token.value), token.length);
  (void)gss_release_buffer(&minor, &token);
  return text;
}

// Both ends of a context, to be imported any number of times, under another name each time.
using Saved = std::array<std::string, 2>;

Saved open_and_save(OM_uint32 flags) {
  const test::CredHandle cred = login(std::string(kGluePassword), &test::kNtlm);
  test::Exchange x;
  x.flags = flags;
  x.initiator_cred = cred.get();
  test::End initiator;
  test::End acceptor;
  GSSNTLM_HOLDS(test::run(x, initiator, acceptor));
  return {exported(initiator), exported(acceptor)};
}

std::vector<Saved> save_all(Stage& stage) {
  std::vector<Saved> all;
  constexpr OM_uint32 kBoth = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
  all.push_back(open_and_save(kBoth));
  all.push_back(open_and_save(kBoth | GSS_C_DCE_STYLE));
  all.push_back(open_and_save(GSS_C_INTEG_FLAG));
  stage.set_policy("send_level = 0\naccept_level = 0\nrequire_ess = no\nmin_key_bits = 40\n");
  all.push_back(open_and_save(kBoth));
  return all;
}

struct Pair {
  explicit Pair(const Saved& saved) {
    for (std::size_t i = 0; i < 2; ++i) {
      std::string renamed = exported_again(saved[i]);
      gss_buffer_desc token = {renamed.size(), renamed.data()};
      OM_uint32 minor = 0;
      GSSNTLM_HOLDS(gss_import_sec_context(&minor, &token, &ends[i].context) == GSS_S_COMPLETE);
    }
  }
  std::array<test::End, 2> ends;
};

enum class Form { kWrap, kMic, kIov, kMicIov };

struct Message {
  Form form;
  std::string clear;
  std::string token;  // all of it, or the MIC
};

gss_iov_buffer_desc iov_of(OM_uint32 type, std::string& bytes) {
  return {type, {bytes.size(), bytes.data()}};
}

std::string make_iov(test::End& end, const std::string& clear, bool conf) {
  std::string header(kSignature, 'h');
  std::string body = clear;
  gss_iov_buffer_desc list[] = {iov_of(GSS_IOV_BUFFER_TYPE_HEADER, header),
                                iov_of(GSS_IOV_BUFFER_TYPE_DATA, body),
                                {GSS_IOV_BUFFER_TYPE_PADDING, GSS_C_EMPTY_BUFFER}};
  OM_uint32 minor = 0;
  GSSNTLM_HOLDS(gss_wrap_iov(&minor, end.context, conf ? 1 : 0, GSS_C_QOP_DEFAULT, nullptr, list,
                             3) == GSS_S_COMPLETE);
  return header + body;
}

std::string mic_iov(test::End& end, std::string clear) {
  gss_iov_buffer_desc list[] = {
      iov_of(GSS_IOV_BUFFER_TYPE_DATA, clear),
      {GSS_IOV_BUFFER_TYPE_MIC_TOKEN | GSS_IOV_BUFFER_FLAG_ALLOCATE, GSS_C_EMPTY_BUFFER}};
  OM_uint32 minor = 0;
  GSSNTLM_HOLDS(gss_get_mic_iov(&minor, end.context, GSS_C_QOP_DEFAULT, list, 2) == GSS_S_COMPLETE);
  std::string mic(static_cast<const char*>(list[1].buffer.value), list[1].buffer.length);
  (void)gss_release_iov_buffer(&minor, list, 2);
  return mic;
}

// The one way to open a wrapped message with a list of buffers, in place.
bool open_list(test::End& end, std::string token, std::string& clear) {
  std::string header = token.substr(0, std::min(kSignature, token.size()));
  std::string body = token.substr(header.size());
  const std::string before = body;
  gss_iov_buffer_desc list[] = {iov_of(GSS_IOV_BUFFER_TYPE_HEADER, header),
                                iov_of(GSS_IOV_BUFFER_TYPE_DATA, body)};
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_unwrap_iov(&minor, end.context, nullptr, nullptr, list, 2);
  GSSNTLM_HOLDS(!GSS_ERROR(major) || body == before);
  clear = body;
  return !GSS_ERROR(major);
}

// The other: the token in one piece.
bool open_stream(test::End& end, std::string token, std::string& clear, bool allocate) {
  const std::string before = token;
  gss_iov_buffer_desc list[] = {
      iov_of(GSS_IOV_BUFFER_TYPE_STREAM, token),
      {GSS_IOV_BUFFER_TYPE_DATA | (allocate ? GSS_IOV_BUFFER_FLAG_ALLOCATE : 0u),
       GSS_C_EMPTY_BUFFER}};
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_unwrap_iov(&minor, end.context, nullptr, nullptr, list, 2);
  if (GSS_ERROR(major)) {
    GSSNTLM_HOLDS(token == before && list[1].buffer.value == nullptr);
    return false;
  }
  clear.assign(static_cast<const char*>(list[1].buffer.value), list[1].buffer.length);
  (void)gss_release_iov_buffer(&minor, list, 2);
  return true;
}

bool verify_list(test::End& end, std::string clear, std::string mic) {
  gss_iov_buffer_desc list[] = {iov_of(GSS_IOV_BUFFER_TYPE_DATA, clear),
                                iov_of(GSS_IOV_BUFFER_TYPE_MIC_TOKEN, mic)};
  OM_uint32 minor = 0;
  return !GSS_ERROR(gss_verify_mic_iov(&minor, end.context, nullptr, list, 2));
}

class Talk {
 public:
  Talk(const Saved& saved, bool in_turn) : pair_(saved), in_turn_(in_turn) {}
  /// False when the two ends are no longer in step.
  bool step(Input& in);

 private:
  void send(std::size_t from, Input& in);
  bool open(std::size_t from, const Message& message, unsigned how);
  void deliver(std::size_t from, Input& in);
  void tamper(std::size_t from, Input& in);
  void invent(std::size_t at, Input& in);
  bool shape(std::size_t at, Input& in);

  Pair pair_;
  bool in_turn_;
  std::array<std::deque<Message>, 2> way_;
  std::array<std::deque<Message>, 2> arrived_;
};

void Talk::send(std::size_t from, Input& in) {
  if (in_turn_ && !(way_[0].empty() && way_[1].empty())) {
    return;
  }
  const std::uint8_t how = in.u8();
  Message message{static_cast<Form>(how & 3), {}, {}};
  message.clear = std::string(in.below((how & 0x80) != 0 ? 1500 : 40), static_cast<char>(how));
  const ByteView some = in.take(std::min<std::size_t>(message.clear.size(), 8));
  std::copy(some.begin(), some.end(), message.clear.begin());
  test::End& end = pair_.ends[from];
  const bool conf = (how & 4) == 0;
  switch (message.form) {
    case Form::kWrap:
      GSSNTLM_HOLDS(test::wrap(end, message.clear, message.token, conf ? 1 : 0).ok());
      break;
    case Form::kMic:
      GSSNTLM_HOLDS(test::get_mic(end, message.clear, message.token).ok());
      break;
    case Form::kIov:
      message.token = make_iov(end, message.clear, conf);
      break;
    case Form::kMicIov:
      message.token = mic_iov(end, message.clear);
      break;
  }
  way_[from].push_back(std::move(message));
}

bool Talk::open(std::size_t from, const Message& message, unsigned how) {
  test::End& end = pair_.ends[1 - from];
  if (message.form == Form::kMic || message.form == Form::kMicIov) {
    return how % 2 == 0 ? test::verify_mic(end, message.clear, message.token).ok()
                        : verify_list(end, message.clear, message.token);
  }
  std::string clear;
  const bool opened = how % 4 == 0   ? test::unwrap(end, message.token, clear).ok()
                      : how % 4 == 1 ? open_list(end, message.token, clear)
                                     : open_stream(end, message.token, clear, how % 4 == 2);
  GSSNTLM_HOLDS(!opened || clear == message.clear);
  return opened;
}

void Talk::deliver(std::size_t from, Input& in) {
  if (way_[from].empty()) {
    return;
  }
  GSSNTLM_HOLDS(open(from, way_[from].front(), in.u8()));
  arrived_[from].push_back(std::move(way_[from].front()));
  way_[from].pop_front();
  for (const Message& old : arrived_[from]) {
    GSSNTLM_HOLDS(!open(from, old, in.u8()));
  }
  if (arrived_[from].size() > 3) {
    arrived_[from].pop_front();
  }
}

void Talk::tamper(std::size_t from, Input& in) {
  if (way_[from].empty()) {
    return;
  }
  Message forged = way_[from].front();
  const std::size_t at = in.below(forged.token.size());
  const auto change = static_cast<char>(1 + in.u8() % 255);
  const unsigned what = in.u8();
  if (what % 3 == 0) {
    forged.token.resize(at);
  } else if (what % 3 == 1) {
    forged.token += change;
  } else {
    // The random pad of a legacy signature counts for nothing.
    const bool pad = in_turn_ && at >= 4 && at < 8;
    forged.token[pad ? 8 : at] = static_cast<char>(forged.token[pad ? 8 : at] ^ change);
  }
  GSSNTLM_HOLDS(!open(from, forged, in.u8()));
}

void Talk::invent(std::size_t at, Input& in) {
  const std::size_t size = in.below(80);
  const std::string token = text_of(in.take(size));
  std::string clear;
  test::End& end = pair_.ends[at];
  GSSNTLM_HOLDS(!test::unwrap(end, token, clear).ok() && clear.empty());
  GSSNTLM_HOLDS(!test::verify_mic(end, "a message", token).ok());
  GSSNTLM_HOLDS(!open_list(end, token, clear) && !open_stream(end, token, clear, true));
  GSSNTLM_HOLDS(!open_stream(end, token, clear, false) && !verify_list(end, "a message", token));
}

// A list of any shape, for any of the functions. False when a message was made, which is then
// discarded.
bool shape(test::End& end, Input& in) {
  constexpr OM_uint32 kTypes[] = {GSS_IOV_BUFFER_TYPE_EMPTY,    GSS_IOV_BUFFER_TYPE_DATA,
                                  GSS_IOV_BUFFER_TYPE_HEADER,   GSS_IOV_BUFFER_TYPE_MECH_PARAMS,
                                  GSS_IOV_BUFFER_TYPE_TRAILER,  GSS_IOV_BUFFER_TYPE_PADDING,
                                  GSS_IOV_BUFFER_TYPE_STREAM,   GSS_IOV_BUFFER_TYPE_SIGN_ONLY,
                                  GSS_IOV_BUFFER_TYPE_MIC_TOKEN};
  const std::uint8_t function = in.u8();
  const std::size_t count = 1 + in.below(20);
  std::vector<std::string> memory(count);
  std::vector<gss_iov_buffer_desc> list;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t what = in.u8();
    memory[i].assign(in.u8() % 48, static_cast<char>(what));
    gss_iov_buffer_desc iov = iov_of(kTypes[what % std::size(kTypes)], memory[i]);
    if ((what & 0x40) != 0) {
      iov.type |= GSS_IOV_BUFFER_FLAG_ALLOCATE;
      iov.buffer = GSS_C_EMPTY_BUFFER;
    } else if ((what & 0x80) != 0) {
      iov.buffer.value = nullptr;
    }
    list.push_back(iov);
  }
  OM_uint32 minor = 0;
  OM_uint32 major = GSS_S_COMPLETE;
  const int size = static_cast<int>(count);
  bool makes = false;
  switch (function % 6) {
    case 0:
      makes = true;
      major = gss_wrap_iov(&minor, end.context, function >> 7, GSS_C_QOP_DEFAULT, nullptr,
                           list.data(), size);
      break;
    case 1:
      major = gss_unwrap_iov(&minor, end.context, nullptr, nullptr, list.data(), size);
      GSSNTLM_HOLDS(GSS_ERROR(major));
      break;
    case 2:
      makes = true;
      major = gss_get_mic_iov(&minor, end.context, GSS_C_QOP_DEFAULT, list.data(), size);
      break;
    case 3:
      major = gss_verify_mic_iov(&minor, end.context, nullptr, list.data(), size);
      GSSNTLM_HOLDS(GSS_ERROR(major));
      break;
    case 4:
      major = gss_wrap_iov_length(&minor, end.context, 1, GSS_C_QOP_DEFAULT, nullptr, list.data(),
                                  size);
      break;
    default:
      major = gss_get_mic_iov_length(&minor, end.context, GSS_C_QOP_DEFAULT, list.data(), size);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if ((list[i].type & GSS_IOV_BUFFER_FLAG_ALLOCATED) == 0) {
      list[i].buffer = GSS_C_EMPTY_BUFFER;
    }
  }
  (void)gss_release_iov_buffer(&minor, list.data(), size);
  return GSS_ERROR(major) || !makes;
}

bool Talk::shape(std::size_t at, Input& in) {
  return fuzz::shape(pair_.ends[at], in);
}

bool Talk::step(Input& in) {
  const std::uint8_t what = in.u8();
  const std::size_t side = what & 1;
  switch ((what >> 1) % 6) {
    case 0:
    case 1:
      send(side, in);
      return true;
    case 2:
      deliver(side, in);
      return true;
    case 3:
      tamper(side, in);
      return true;
    case 4:
      invent(side, in);
      return true;
    default:
      return shape(side, in);
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Stage stage("");
  static const std::vector<Saved> saved = save_all(stage);
  Input in({data, size});
  const std::size_t which = in.u8() % saved.size();
  Talk talk(saved[which], which == 3);
  for (int steps = 0; steps < 32 && !in.empty() && talk.step(in); ++steps) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Chance chance(seed);
  Bytes input(data, data + size);
  if (chance.one_in(2)) {
    const std::array<std::uint8_t, 4> step{
        static_cast<std::uint8_t>(chance.below(12)), static_cast<std::uint8_t>(chance.next()),
        static_cast<std::uint8_t>(chance.next()), static_cast<std::uint8_t>(chance.below(8))};
    const std::size_t at = std::min<std::size_t>(input.size(), 1 + chance.below(input.size() + 1));
    input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), step.begin(), step.end());
  } else {
    mutate_bytes(input, max, chance);
  }
  return give_back(input, data, max);
}
