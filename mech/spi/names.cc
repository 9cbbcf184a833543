// RFC 2744 5.6, 5.11, 5.13, 5.16, 5.3, 5.30: names.
#include <array>
#include <string>
#include <utility>

#include "mech/spi/boundary.h"
#include "mech/spi/oids.h"

namespace gssntlm::spi {
namespace {

// RFC 2743 3.2: 04 01, length of the OID's DER, the DER, length of the name, the name. RFC 6680
// 7.8: 04 02 with attributes.
enum class ExportKind : std::uint8_t { kPlain = 1, kComposite = 2 };

std::uint32_t load_be32(ByteView b) noexcept {
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

std::array<std::uint8_t, 4> be32(std::size_t v) noexcept {
  return {static_cast<std::uint8_t>(v >> 24), static_cast<std::uint8_t>(v >> 16),
          static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
}

Bytes export_header(ExportKind kind) {
  const gss_OID mech = mechanism_oid();
  Bytes out = {0x04, static_cast<std::uint8_t>(kind), 0};
  out.push_back(static_cast<std::uint8_t>(mech->length + 2));
  out.push_back(0x06);
  out.push_back(static_cast<std::uint8_t>(mech->length));
  append(out, {static_cast<const std::uint8_t*>(mech->elements), mech->length});
  return out;
}

Buffer frame(ExportKind kind, ByteView body) {
  Bytes token = export_header(kind);
  append(token, be32(body.size()));
  append(token, body);
  return Buffer::copy_of(token);
}

// Kind, and the two parts with their lengths, in one spelling: programs compare exported names byte
// for byte (RFC 2743 3.2).
Result<Buffer> export_name(const Name& name) {
  const Name::Parts parts = name.canonical();
  if (parts.first.size() + parts.second.size() >= Name::kMaxSize) {
    return Error{Major::kBadName, Minor::kTooLong};
  }
  Bytes body = {static_cast<std::uint8_t>(name.kind())};
  for (const std::string& part : {parts.first, parts.second}) {
    append(body, be32(part.size()));
    append(body, as_bytes(part));
  }
  return frame(ExportKind::kPlain, body);
}

// A token proves nothing to the process that imports it.
Result<Buffer> export_composite(const Name& name) {
  Serializer body;
  name.unproven()->save(body);
  return frame(ExportKind::kComposite, body.view());
}

std::optional<std::string> take_part(Reader& in) {
  const ByteView size = in.take(4);
  const ByteView text = in.take(in.ok() ? load_be32(size) : 0);
  return in.ok() ? std::optional<std::string>(as_text(text)) : std::nullopt;
}

// What is inside the frame; nothing if the frame is not ours.
std::optional<ByteView> unframe(ExportKind kind, ByteView token) {
  const Bytes header = export_header(kind);
  Reader in(token);
  const ByteView head = in.take(header.size());
  const ByteView size = in.take(4);
  if (!in.ok() || !same_bytes(head, header) || load_be32(size) != in.remaining()) {
    return std::nullopt;
  }
  return in.take(in.remaining());
}

Result<Ref<const Name>> import_composite(ByteView token) {
  const Error bad{Major::kBadName, Minor::kImport};
  const std::optional<ByteView> body = unframe(ExportKind::kComposite, token);
  if (!body) {
    return bad;
  }
  Deserializer in(*body);
  Result<Ref<const Name>> name = Name::load(in);
  if (!name || !in.finished()) {
    return bad;
  }
  return (*name)->unproven();
}

Result<Ref<const Name>> imported_parts(NameKind kind, const std::string& first,
                                       const std::string& second) {
  // The text rules are those of any user name; the parts are kept as they were exported.
  const bool is_user = kind == NameKind::kUser || kind == NameKind::kPrincipal;
  if (is_user && !Name::user(second + "\\" + first)) {
    return Error{Major::kBadName, Minor::kImport};
  }
  return Name::of_parts(kind, first, second);
}

Result<Ref<const Name>> import_exported(ByteView token) {
  const Error bad{Major::kBadName, Minor::kImport};
  const std::optional<ByteView> body = unframe(ExportKind::kPlain, token);
  if (!body) {
    return bad;
  }
  Reader in(*body);
  const auto kind = static_cast<NameKind>(in.u8());
  const std::optional<std::string> first = take_part(in);
  const std::optional<std::string> second = take_part(in);
  if (!first || !second || !in.at_end()) {
    return bad;
  }
  Result<Ref<const Name>> name = imported_parts(kind, *first, *second);
  // No export writes another spelling.
  const Name::Parts parts = name ? (*name)->canonical() : Name::Parts{};
  return name && parts.first == *first && parts.second == *second ? std::move(name) : bad;
}

Result<Ref<const Name>> import_name(gss_buffer_t buffer, const gss_OID_desc* type) {
  const ByteView value = view_of(buffer);
  const std::string_view text = text_of(buffer);
  if (type == GSS_C_NO_OID) {
    return Name::untyped(text);
  }
  if (same_oid(type, GSS_C_NT_USER_NAME)) {
    return Name::user(text);
  }
  if (same_oid(type, GSS_C_NT_HOSTBASED_SERVICE) || same_oid(type, GSS_C_NT_HOSTBASED_SERVICE_X)) {
    return Name::service(text);
  }
  if (same_oid(type, GSS_C_NT_ANONYMOUS)) {
    return Name::anonymous();
  }
  if (same_oid(type, GSS_C_NT_EXPORT_NAME)) {
    return import_exported(value);
  }
  if (same_oid(type, GSS_C_NT_COMPOSITE_EXPORT)) {
    return import_composite(value);
  }
  if (same_oid(type, &kPrincipalNameOid)) {
    return Name::principal(text);
  }
  // The number of a local user names no account. The name of that user would compare equal to the
  // account of any client that calls itself so, and the mechglue's gss_authorize_localname
  // compares.
  return Error{Major::kBadNameType, Minor::kNameType};
}

Answer give_export(gss_name_t name, gss_buffer_t token, Result<Buffer> (*make)(const Name&)) {
  clear(token);
  const Name* found = name_of(name);
  if (found == nullptr) {
    return reject_name(name);
  }
  if (token == nullptr) {
    return kBadArgument;
  }
  Result<Buffer> made = make(*found);
  if (!made) {
    return made.error();
  }
  give(token, std::move(*made));
  return {};
}

}  // namespace

gss_OID type_of(NameKind kind) noexcept {
  switch (kind) {
    case NameKind::kService:
      return GSS_C_NT_HOSTBASED_SERVICE;
    case NameKind::kAnonymous:
      return GSS_C_NT_ANONYMOUS;
    case NameKind::kPrincipal:
      return &kPrincipalNameOid;
    case NameKind::kUser:
      break;
  }
  return GSS_C_NT_USER_NAME;
}

}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_import_name(OM_uint32* minor, gss_buffer_t value, gss_OID type, gss_name_t* name) {
  return guard(minor, [&]() -> Answer {
    store(name, GSS_C_NO_NAME);
    if (name == nullptr || is_broken(value)) {
      return kBadArgument;
    }
    Result<Ref<const Name>> imported = import_name(value, type);
    if (!imported) {
      return imported.error();
    }
    *name = handle_of(std::move(*imported));
    return {};
  });
}

OM_uint32 gss_release_name(OM_uint32* minor, gss_name_t* name) {
  return guard_release(minor, [&]() -> Answer {
    if (name == nullptr || *name == GSS_C_NO_NAME) {
      return {};
    }
    NameBox* box = box_of(*name);
    if (box == nullptr) {
      return reject_name(*name);
    }
    delete box;
    *name = GSS_C_NO_NAME;
    return {};
  });
}

OM_uint32 gss_duplicate_name(OM_uint32* minor, const gss_name_t name, gss_name_t* copy) {
  return guard_brief(minor, [&]() -> Answer {
    store(copy, GSS_C_NO_NAME);
    if (name_of(name) == nullptr) {
      return reject_name(name);
    }
    if (copy == nullptr) {
      return kBadArgument;
    }
    *copy = handle_of(shared_name_of(name));
    return {};
  });
}

OM_uint32 gss_display_name(OM_uint32* minor, gss_name_t name, gss_buffer_t text, gss_OID* type) {
  return guard_brief(minor, [&]() -> Answer {
    clear(text);
    store(type, GSS_C_NO_OID);
    const Name* found = name_of(name);
    if (found == nullptr) {
      return reject_name(name);
    }
    if (text == nullptr) {
      return kBadArgument;
    }
    give(text, found->display());
    store(type, type_of(found->kind()));
    return {};
  });
}

OM_uint32 gss_compare_name(OM_uint32* minor, gss_name_t a, gss_name_t b, int* equal) {
  return guard(minor, [&]() -> Answer {
    store(equal, 0);
    const Name* first = name_of(a);
    const Name* second = name_of(b);
    if (first == nullptr || second == nullptr) {
      return reject_name(first == nullptr ? a : b);
    }
    store(equal, first->equals(*second) ? 1 : 0);
    return {};
  });
}

OM_uint32 gss_export_name(OM_uint32* minor, const gss_name_t name, gss_buffer_t token) {
  return guard(minor, [&]() -> Answer { return give_export(name, token, export_name); });
}

OM_uint32 gss_export_name_composite(OM_uint32* minor, gss_name_t name, gss_buffer_t token) {
  return guard(minor, [&]() -> Answer { return give_export(name, token, export_composite); });
}

}  // extern "C"
