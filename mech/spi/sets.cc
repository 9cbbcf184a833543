#include "mech/spi/sets.h"

namespace gssntlm::spi {

namespace {

// A set in the making.
struct BufferSet {
  BufferSet() = default;
  BufferSet(const BufferSet&) = delete;
  BufferSet& operator=(const BufferSet&) = delete;
  ~BufferSet() {
    OM_uint32 ignored = 0;
    gss_release_buffer_set(&ignored, &set);
  }
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
};

}  // namespace

// gss_add_buffer_set_member of the library loses what the set had when memory ends.
Answer give_set(gss_buffer_set_t* set, std::span<const ByteView> members) {
  OM_uint32 ignored = 0;
  BufferSet made;
  if (GSS_ERROR(gss_create_empty_buffer_set(&ignored, &made.set))) {
    return failure(Minor::kNoMemory);
  }
  Buffer elements(members.size() * sizeof(gss_buffer_desc));
  made.set->elements = reinterpret_cast<gss_buffer_desc*>(elements.release());
  for (const ByteView member : members) {
    gss_buffer_desc& copy = made.set->elements[made.set->count];
    give(&copy, Buffer::copy_of(member));
    ++made.set->count;
  }
  *set = std::exchange(made.set, GSS_C_NO_BUFFER_SET);
  return {};
}

Answer give_set(gss_buffer_set_t* set, std::initializer_list<ByteView> members) {
  return give_set(set, std::span<const ByteView>(members.begin(), members.size()));
}

Answer give_oids(gss_OID_set* set, std::span<const gss_const_OID> oids) {
  if (set == nullptr) {
    return {};
  }
  OM_uint32 ignored = 0;
  gss_OID_set made = GSS_C_NO_OID_SET;
  OM_uint32 major = gss_create_empty_oid_set(&ignored, &made);
  for (const gss_const_OID oid : oids) {
    if (!GSS_ERROR(major)) {
      major = gss_add_oid_set_member(&ignored, const_cast<gss_OID>(oid), &made);
    }
  }
  if (GSS_ERROR(major)) {
    gss_release_oid_set(&ignored, &made);
    return failure(Minor::kNoMemory);
  }
  *set = made;
  return {};
}

Answer give_mechs(gss_OID_set* mechs) {
  const gss_const_OID ours[] = {mechanism_oid()};
  return give_oids(mechs, ours);
}

}  // namespace gssntlm::spi
