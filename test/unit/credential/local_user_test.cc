// The users of this machine that a logon may be mapped to.
#include "mech/credential/local_user.h"

#include "support/catch.h"

using namespace gssntlm;

TEST_CASE("the first user of login.defs") {
  CHECK(first_user_uid("") == 1000);
  CHECK(first_user_uid("UID_MIN 500\n") == 500);
  CHECK(first_user_uid("# UID_MIN 5\n\tUID_MIN\t\t\"2000\"\r\nUID_MAX 60000\n") == 2000);
  CHECK(first_user_uid("UID_MIN 1000\nSYS_UID_MAX 4999") == 5000);
  CHECK(first_user_uid("UID_MIN 500\nSYS_UID_MAX 499\n") == 500);
  CHECK(first_user_uid("UID_MIN 0x1388\nXUID_MIN 1\n") == 5000);
  CHECK(first_user_uid("UID_MIN 017\n") == 15);
}

TEST_CASE("a first user of login.defs that is no number is none, not the usual one") {
  for (const char* bad : {"UID_MIN", "UID_MIN \n", "UID_MIN 0\n", "UID_MIN -1\n", "UID_MIN x\n",
                          "UID_MIN 1x\n", "UID_MIN 0x\n", "UID_MIN 08\n", "UID_MIN 99999999999\n",
                          "UID_MIN 4294967295\n", "UID_MIN 1000\nSYS_UID_MAX x\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(first_user_uid(bad));
  }
}
