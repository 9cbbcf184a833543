// What goes into an archive comes out of it; what was never put in does not.
#include "mech/base/archive.h"

#include "test/support/catch.h"

namespace gssntlm {
namespace {

TEST_CASE("archive: a flag is 0 or 1, and a block no longer than its limit", "[archive]") {
  Serializer out;
  out.flag(true);
  out.block(Bytes(5, 'x'));
  Deserializer good(out.view());
  CHECK(good.flag());
  CHECK(good.block(5).size() == 5);
  CHECK(good.finished());

  Deserializer limited(out.view());
  (void)limited.flag();
  CHECK(limited.block(4).empty());
  CHECK_FALSE(limited.ok());

  const Bytes two{2};
  Deserializer flag(two);
  (void)flag.flag();
  CHECK_FALSE(flag.ok());
}

TEST_CASE("archive: after the first wrong value nothing is right any more", "[archive]") {
  Serializer out;
  out.u32(7);
  Deserializer in(out.view());
  in.reject();
  CHECK_FALSE(in.ok());
  (void)in.u32();
  CHECK_FALSE(in.finished());
  Deserializer cut(out.view().first(3));
  CHECK(cut.u32() == 0);
  CHECK_FALSE(cut.ok());
}

}  // namespace
}  // namespace gssntlm
