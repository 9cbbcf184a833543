// doctor: which module the mechglue would load for NTLM, and whether it can.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <dlfcn.h>
#include <glob.h>

extern "C" {
#include <gssapi/gssapi.h>
}

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/status.h"
#include "mech/base/text.h"
#include "tools/doctor.h"

namespace gssntlm::tools {
namespace {

constexpr const char* kOid = GSS_NTLM_MECH_OID_STRING;
constexpr const char* kRemedy =
    "; put gss-ntlm.conf.example at /etc/gss/mech.d/gss-ntlm.conf (gss-ntlm(7))";

std::vector<std::string> configuration_files() {
  if (const char* file = ::secure_getenv("GSS_MECH_CONFIG"); file != nullptr) {
    return {file};
  }
  std::vector<std::string> files = {"/etc/gss/mech"};
  glob_t found{};
  if (::glob("/etc/gss/mech.d/*.conf", 0, nullptr, &found) == 0) {
    files.insert(files.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return files;
}

// The directory of the library, where it searches for modules without a path.
std::string module_directory() {
  void* function = ::dlsym(RTLD_DEFAULT, "gss_indicate_mechs");
  Dl_info where{};
  if (function == nullptr || ::dladdr(function, &where) == 0) {
    return {};
  }
  const std::string library = where.dli_fname;
  return library.substr(0, library.rfind('/') + 1) + "gss/";
}

void read_registrations(const std::string& path, std::istream& in,
                        std::vector<Registration>& found) {
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.starts_with('#')) {
      continue;
    }
    std::istringstream fields(line);
    std::string name;
    std::string oid;
    std::string module;
    if (fields >> name >> oid >> module && oid == kOid) {
      found.push_back(
          {path, number, module.starts_with('/') ? module : module_directory() + module});
    }
  }
}

std::string place(const Registration& r) {
  return printable_utf8(r.file) + " line " + std::to_string(r.line);
}

// What a module says about one of our codes; nothing when it has no text for it. The module is
// asked itself: the mechglue has numbers of its own for codes.
std::optional<std::string> text_of_module(void* module, OM_uint32 code) {
  auto* display =
      reinterpret_cast<decltype(&gss_display_status)>(::dlsym(module, "gss_display_status"));
  gss_OID_desc oid = {GSS_NTLM_MECH_OID_LENGTH, const_cast<char*>(GSS_NTLM_MECH_OID_BYTES)};
  OM_uint32 minor = 0;
  OM_uint32 context = 0;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  if (display == nullptr ||
      GSS_ERROR(display(&minor, code, GSS_C_MECH_CODE, &oid, &context, &text))) {
    return std::nullopt;
  }
  std::string copy(static_cast<const char*>(text.value), text.length);
  gss_release_buffer(&minor, &text);
  return copy;
}

bool library_has_ntlm() {
  gss_OID_desc oid = {GSS_NTLM_MECH_OID_LENGTH, const_cast<char*>(GSS_NTLM_MECH_OID_BYTES)};
  OM_uint32 minor = 0;
  gss_OID_set mechs = GSS_C_NO_OID_SET;
  int present = 0;
  if (!GSS_ERROR(gss_indicate_mechs(&minor, &mechs))) {
    gss_test_oid_set_member(&minor, &oid, mechs, &present);
    gss_release_oid_set(&minor, &mechs);
  }
  return present != 0;
}

void check_others(Checks& checks, const std::vector<Registration>& found) {
  const Registration& last = found.back();
  std::string others;
  for (const Registration& r : found) {
    if (r.module != last.module) {
      others.append(others.empty() ? "" : ", ").append(place(r)).append(": ");
      others.append(printable_utf8(r.module));
    }
  }
  if (others.empty()) {
    checks.push_back({Check::State::kOk, "other plugins", "none on NTLM's identifier"});
    return;
  }
  checks.push_back({Check::State::kNote, "other plugins",
                    others + " is on NTLM's identifier too; the last line counts (" + place(last) +
                        "), and a program that has loaded another one keeps it"});
}

void check_loading(Checks& checks, const Registration& last) {
  const char* name = "loads";
  void* handle = ::dlopen(last.module.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    checks.push_back({Check::State::kWrong, name,
                      printable_utf8(why != nullptr ? why : last.module, 4096) +
                          "; programs see no NTLM, and no error, until this is corrected"});
    return;
  }
  constexpr OM_uint32 kProbe = GSS_NTLM_S_ATTRIBUTE;
  const std::optional<std::string> text = text_of_module(handle, kProbe);
  ::dlclose(handle);
  if (text != minor_text(kProbe)) {
    checks.push_back({Check::State::kWrong, name,
                      printable_utf8(last.module) +
                          " is another mechanism than gss-ntlm " GSS_NTLM_VERSION
                          ", or another version of it; remove " +
                          place(last) + " or install this one there"});
  } else if (!library_has_ntlm()) {
    checks.push_back({Check::State::kWrong, name,
                      printable_utf8(last.module) +
                          " can be opened, but the Kerberos library does not accept it; see its "
                          "registration, " +
                          place(last)});
  } else {
    checks.push_back({Check::State::kOk, name, printable_utf8(last.module)});
  }
}

}  // namespace

std::vector<Registration> find_registrations(std::string& problem) {
  std::vector<Registration> found;
  for (const std::string& path : configuration_files()) {
    errno = 0;
    std::ifstream file(path);
    if (file) {
      read_registrations(path, file, found);
    } else if (errno != ENOENT) {
      problem = printable_utf8(path) + ": " + std::strerror(errno);
    }
  }
  return found;
}

void check_mechanism(Checks& checks) {
  std::string problem;
  const std::vector<Registration> found = find_registrations(problem);
  const char* instead = ::secure_getenv("GSS_MECH_CONFIG");
  if (found.empty()) {
    const std::string where =
        instead != nullptr ? "GSS_MECH_CONFIG=" + printable_utf8(instead) : "/etc/gss";
    checks.push_back({Check::State::kWrong, "registered",
                      where + " has no line with " + kOid +
                          (problem.empty() ? kRemedy : " (" + problem + ")" + kRemedy)});
    return;
  }
  const bool usual = instead == nullptr;
  checks.push_back({!problem.empty() ? Check::State::kWrong
                    : usual          ? Check::State::kOk
                                     : Check::State::kNote,
                    "registered",
                    place(found.back()) +
                        (usual ? "" : ", for programs with this GSS_MECH_CONFIG alone") +
                        (problem.empty() ? "" : "; " + problem)});
  check_others(checks, found);
  check_loading(checks, found.back());
}

}  // namespace gssntlm::tools
