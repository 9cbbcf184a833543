// What is asked of an established context, and contexts that move.
#include "test/hostile/failure_list.h"
#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

// Takes the initiator out and imports it again, and once more if that failed.
void move_initiator(Trial& t, Pair& pair) {
  Buffer token;
  OM_uint32 ignored = 0;
  spi().export_sec_context(&ignored, &pair.initiator, &token);
  t.call(
      [&](OM_uint32* minor) { return spi().import_sec_context(minor, &token, &pair.initiator); });
  t.expect_none(pair.initiator.get());
  if (!t.ok()) {
    spi().import_sec_context(&ignored, &token, &pair.initiator);
  }
}

void inquire_by_oid(Trial& t, gss_ctx_id_t context, gss_OID_desc oid) {
  BufferSet set;
  t.call([&](OM_uint32* minor) {
    return spi().inquire_sec_context_by_oid(minor, context, &oid, &set);
  });
  t.expect_none(set.get());
}

const gss_OID_desc kStrength = {11,
                                const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f")};

const Operation kContexts[] = {
    {"gss_wrap_iov_length",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         List list(GSS_IOV_BUFFER_TYPE_HEADER);
         t.call([&](OM_uint32* minor) {
           return spi().wrap_iov_length(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, nullptr,
                                        list.iov, List::kParts + 1);
         });
       });
     }},
    {"gss_get_mic_iov_length",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         List list(GSS_IOV_BUFFER_TYPE_MIC_TOKEN);
         t.call([&](OM_uint32* minor) {
           return spi().get_mic_iov_length(minor, pair.initiator, GSS_C_QOP_DEFAULT, list.iov,
                                           List::kParts + 1);
         });
       });
     }},
    {"gss_wrap_size_limit",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         OM_uint32 size = 0;
         t.call([&](OM_uint32* minor) {
           return spi().wrap_size_limit(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, 100, &size);
         });
       });
     }},
    {"gss_context_time",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         OM_uint32 left = 0;
         t.call([&](OM_uint32* minor) { return spi().context_time(minor, pair.initiator, &left); });
       });
     }},
    {"gss_complete_auth_token",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         t.call([&](OM_uint32* minor) {
           return spi().complete_auth_token(minor, pair.initiator, GSS_C_NO_BUFFER);
         });
       });
     }},
    {"gss_inquire_context",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         Name source;
         Name target;
         int open = 77;
         OM_uint32 flags = 77;
         t.call([&](OM_uint32* minor) {
           return spi().inquire_context(minor, pair.acceptor, &source, &target, nullptr, nullptr,
                                        &flags, nullptr, &open);
         });
         t.expect_none(source.get());
         t.expect_none(target.get());
       });
     }},
    {"gss_inquire_sec_context_by_oid: session key",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) { inquire_by_oid(t, pair.initiator, kSessionKeyOid); });
     }},
    {"gss_inquire_sec_context_by_oid: strength",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) { inquire_by_oid(t, pair.initiator, kStrength); });
     }},
    {"gss_export_sec_context",
     [](Trial& t) {
       Pair pair;
       pair.go(4);
       Buffer token;
       t.call([&](OM_uint32* minor) {
         return spi().export_sec_context(minor, &pair.initiator, &token);
       });
       t.expect_empty(token);
       if (t.ok()) {
         OM_uint32 minor = 0;
         t.expect(pair.initiator.get() == GSS_C_NO_CONTEXT, "the exported context is left");
         spi().import_sec_context(&minor, &token, &pair.initiator);
       }
       t.expect(works(pair), "the context no longer works");
     }},
    {"gss_export_sec_context: half-way",
     [](Trial& t) {
       Pair pair;
       pair.go(2);
       Buffer token;
       t.call([&](OM_uint32* minor) {
         return spi().export_sec_context(minor, &pair.acceptor, &token);
       });
       t.expect_empty(token);
       if (t.ok()) {
         OM_uint32 minor = 0;
         spi().import_sec_context(&minor, &token, &pair.acceptor);
       }
       t.expect(pair.init() == GSS_S_COMPLETE && pair.accept() == GSS_S_COMPLETE && works(pair),
                "the handshake does not go on");
     }},
    {"gss_import_sec_context",
     [](Trial& t) {
       Pair pair;
       pair.go(4);
       move_initiator(t, pair);
       t.expect(works(pair), "the context no longer works");
     }},
    {"gss_import_sec_context: half-way",
     [](Trial& t) {
       Pair pair;
       pair.go(2);
       move_initiator(t, pair);
       t.expect(pair.init() == GSS_S_COMPLETE && pair.accept() == GSS_S_COMPLETE && works(pair),
                "the handshake does not go on");
     }},
};

}  // namespace

std::span<const Operation> context_operations() {
  return kContexts;
}

}  // namespace gssntlm::test::failure
