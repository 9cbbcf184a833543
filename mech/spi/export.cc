// RFC 2744 5.11, 5.17: contexts leave this process and come into it.
#include <memory>
#include <utility>

#include "mech/spi/context.h"
#include "mech/spi/token.h"

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_export_sec_context(OM_uint32* minor, gss_ctx_id_t* handle, gss_buffer_t token) {
  return guard_secret<kSecretStack>(minor, true, [&]() -> Answer {
    clear(token);
    if (handle == nullptr || token == nullptr) {
      return kBadArgument;
    }
    Context* context = context_of(*handle);
    if (context == nullptr) {
      return reject_context(*handle);
    }
    Serializer out;
    if (Status s = context->save(out); !s) {
      return s;
    }
    give(token, frame_token(TokenKind::kContext, out));
    // The importer continues; two contexts would use the key streams twice.
    delete context;
    *handle = GSS_C_NO_CONTEXT;
    return {};
  });
}

OM_uint32 gss_import_sec_context(OM_uint32* minor, gss_buffer_t token, gss_ctx_id_t* handle) {
  return guard_secret<kSecretStack>(minor, true, [&]() -> Answer {
    store(handle, GSS_C_NO_CONTEXT);
    if (handle == nullptr || token == nullptr || is_broken(token)) {
      return kBadArgument;
    }
    const Result<ByteView> body = unframe_token(TokenKind::kContext, view_of(token));
    if (!body) {
      return body.error();
    }
    Deserializer in(*body);
    Result<std::unique_ptr<Context>> context = Context::load(in);
    if (!context) {
      return context.error();
    }
    if (!in.finished()) {
      return defective(Minor::kImport);
    }
    if (Status s = (*context)->claim_import(); !s) {
      return s;
    }
    *handle = handle_of(context->release());
    return {};
  });
}

}  // extern "C"
