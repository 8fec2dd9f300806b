/*
 * The one file that knows DCMTK (dcmdata) and OpenJPEG. Every function of shim.h catches whatever is thrown below it. Of the
 * traps of DCMTK it goes around: numbers become 0 where a tag is absent (so the tag is looked for first); values of unknown type
 * (UN) are made what the dictionary says; 32-bit pixels of big-endian files are swapped as 16-bit words; JPEG 2000 is not known.
 */
#include "shim.h"
#include <cctype>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <locale.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>
#include <openjpeg.h>

struct DicomFile_private {
  DcmFileFormat format;
  std::string failure; /* of what was put */
};

namespace
{

const char *const explicit_little = UID_LittleEndianExplicitTransferSyntax;

locale_t CLocale()
{
  static const locale_t c = newlocale(LC_ALL_MASK, "C", nullptr);
  return c;
}

/* A call in which anything may be thrown. */
template <class Call, class Result> Result Guarded(Result failed, Call call)
{
  try {
    return call();
  } catch (...) {
    return failed;
  }
}

bool Say(char message[DICOM_MESSAGE], const std::string &text)
{
  snprintf(message, DICOM_MESSAGE, "%s", text.c_str());
  return false;
}

DcmItem *Of(DicomItem item)
{
  return static_cast<DcmItem *>(item.at);
}

DcmTagKey Key(DicomTag tag)
{
  return DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xffff));
}

DcmElement *Find(DicomItem item, DicomTag tag)
{
  DcmElement *element = nullptr;
  if (!item.at || Of(item)->findAndGetElement(Key(tag), element).bad()) return nullptr;
  return element;
}

/* Length of the UTF-8 character that begins here; 0 if none does. */
size_t Character(const std::string &text, size_t at)
{
  const unsigned char first = static_cast<unsigned char>(text[at]);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xc2 && first < 0xe0 ? 2
                        : (first & 0xf0) == 0xe0        ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  for (size_t i = 1; i < length; i++)
    if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  return length;
}

/* Text for people: no controls, no blanks around it, bytes that are no UTF-8 as \xNN. */
std::string Readable(const std::string &text)
{
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = Character(text, at);
    const unsigned char byte = static_cast<unsigned char>(text[at]);
    char hex[8];
    snprintf(hex, sizeof hex, "\\x%02x", byte);
    if (!length)
      out += hex;
    else if (byte < 0x20 || byte == 0x7f)
      out += ' ';
    else
      out += text.substr(at, length);
    at += length ? length : 1;
  }
  const size_t first = out.find_first_not_of(' ');
  return first == std::string::npos ? "" : out.substr(first, out.find_last_not_of(' ') - first + 1);
}

/* Copied without cutting a character apart. */
void Copy(const std::string &from, char *text, size_t size)
{
  size_t n = 0;
  while (n < from.size()) {
    const size_t length = Character(from, n) ? Character(from, n) : 1;
    if (n + length >= size) break;
    n += length;
  }
  memcpy(text, from.data(), n);
  text[n] = 0;
}

bool IsText(DcmElement *element)
{
  return dynamic_cast<DcmByteString *>(element) != nullptr;
}

/* All numbers of a text "1\2\3", up to the first that is none or n. */
size_t ParseNumbers(const char *text, size_t n, double *value)
{
  size_t count = 0;
  while (count < n) {
    char *end = nullptr;
    const double number = strtod_l(text, &end, CLocale());
    if (end == text || !std::isfinite(number)) break;
    while (*end == ' ') end++;
    if (*end && *end != '\\') break;
    value[count++] = number;
    if (!*end) break;
    text = end + 1;
  }
  return count;
}

bool NumberAt(DcmElement *element, unsigned long i, double *value)
{
  Float64 f64;
  Float32 f32;
  Sint32 s32;
  Uint32 u32;
  Sint16 s16;
  Uint16 u16;
  if (element->getFloat64(f64, i).good())
    *value = f64;
  else if (element->getFloat32(f32, i).good())
    *value = static_cast<double>(f32);
  else if (element->getSint32(s32, i).good())
    *value = s32;
  else if (element->getUint32(u32, i).good())
    *value = u32;
  else if (element->getSint16(s16, i).good())
    *value = s16;
  else if (element->getUint16(u16, i).good())
    *value = u16;
  else
    return false;
  return std::isfinite(*value);
}

size_t Numbers(DicomItem item, DicomTag tag, long from, size_t n, double *value)
{
  DcmElement *element = Find(item, tag);
  size_t count = 0;
  if (!element || from < 0) return 0;
  if (IsText(element)) { /* all at once: value by value would look through all before it each time */
    char *text = nullptr;
    if (element->getString(text).bad() || !text) return 0;
    for (; from > 0; from--) {
      text = strchr(text, '\\');
      if (!text++) return 0;
    }
    return ParseNumbers(text, n, value);
  }
  while (count < n && NumberAt(element, static_cast<unsigned long>(from) + count, &value[count])) count++;
  return count;
}

/* DICOM or not: a file of anything may look like a data set without header. */
bool IsDicom(DcmDataset *set)
{
  return set->tagExists(DCM_SOPClassUID) || set->tagExists(DCM_Modality) || set->tagExists(DCM_DirectoryRecordSequence);
}

/* Whether a file begins as one of DICOM has to; those without a header do not. */
bool Announces(const char *path)
{
  char magic[132] = "";
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  const bool whole = fread(magic, 1, sizeof magic, file) == sizeof magic;
  fclose(file);
  return whole && !memcmp(magic + 128, "DICM", 4);
}

OFCondition Load(DcmFileFormat *format, const char *path)
{
  OFCondition condition = format->loadFile(path);
  if (condition.good() && IsDicom(format->getDataset())) return condition;
  /* a data set that begins at once, of explicit type, is taken for another kind */
  DcmFileFormat bare;
  if (bare.loadFile(path, EXS_LittleEndianExplicit, EGL_noChange, DCM_MaxReadLength, ERM_dataset).bad() ||
      !IsDicom(bare.getDataset()))
    return condition;
  return format->loadFile(path, EXS_LittleEndianExplicit, EGL_noChange, DCM_MaxReadLength, ERM_dataset);
}

/* Text of the data set in UTF-8; where that cannot be, Readable shows the bytes. */
void Convert(DcmDataset *set)
{
  OFString character_set;
  if (set->findAndGetOFStringArray(DCM_SpecificCharacterSet, character_set).bad() || character_set.empty() ||
      character_set == "ISO_IR 192" || character_set == "ISO_IR 6")
    return;
  (void)set->convertToUTF8();
}

std::string TransferSyntax(DicomFile file)
{
  OFString uid;
  (void)file->format.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, uid);
  return Readable(uid.c_str());
}

/* --- JPEG 2000 */

struct Memory {
  const unsigned char *data;
  size_t size, at;
};

OPJ_SIZE_T ReadMemory(void *buffer, OPJ_SIZE_T n, void *context)
{
  Memory *memory = static_cast<Memory *>(context);
  const size_t left = memory->size - memory->at, take = n < left ? n : left;
  if (!take) return static_cast<OPJ_SIZE_T>(-1);
  memcpy(buffer, memory->data + memory->at, take);
  memory->at += take;
  return take;
}

OPJ_BOOL SeekMemory(OPJ_OFF_T at, void *context)
{
  Memory *memory = static_cast<Memory *>(context);
  if (at < 0 || static_cast<size_t>(at) > memory->size) return OPJ_FALSE;
  memory->at = static_cast<size_t>(at);
  return OPJ_TRUE;
}

OPJ_OFF_T SkipMemory(OPJ_OFF_T n, void *context)
{
  Memory *memory = static_cast<Memory *>(context);
  return SeekMemory(static_cast<OPJ_OFF_T>(memory->at) + n, context) ? n : -1;
}

bool HeaderFits(const opj_image_t *image, const DicomPixels *pixels)
{
  return image->numcomps == 1 && image->comps[0].w == static_cast<OPJ_UINT32>(pixels->columns) &&
         image->comps[0].h == static_cast<OPJ_UINT32>(pixels->rows);
}

bool TakeJ2K(opj_image_t *image, const DicomPixels *pixels, double *value)
{
  const size_t n = static_cast<size_t>(pixels->rows) * static_cast<size_t>(pixels->columns);
  if (!HeaderFits(image, pixels) || !image->comps[0].data) return false;
  for (size_t i = 0; i < n; i++) value[i] = image->comps[0].data[i];
  return true;
}

bool DecodeJ2K(const std::vector<unsigned char> &code, const DicomPixels *pixels, double *value)
{
  static const unsigned char box[] = {0, 0, 0, 12, 'j', 'P'};
  const bool boxed = code.size() > sizeof box && !memcmp(code.data(), box, sizeof box);
  Memory memory = {code.data(), code.size(), 0};
  opj_dparameters_t parameters;
  opj_image_t *image = nullptr;
  opj_set_default_decoder_parameters(&parameters);
  opj_codec_t *codec = opj_create_decompress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
  opj_stream_t *stream = opj_stream_default_create(OPJ_TRUE);
  opj_stream_set_read_function(stream, ReadMemory);
  opj_stream_set_seek_function(stream, SeekMemory);
  opj_stream_set_skip_function(stream, SkipMemory);
  opj_stream_set_user_data(stream, &memory, nullptr);
  opj_stream_set_user_data_length(stream, code.size());
  const bool good = opj_setup_decoder(codec, &parameters) && opj_read_header(stream, codec, &image) &&
                    HeaderFits(image, pixels) && opj_decode(codec, stream, image) && TakeJ2K(image, pixels, value);
  if (image) opj_image_destroy(image);
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  return good;
}

void AppendFragment(DcmPixelSequence *sequence, unsigned long i, std::vector<unsigned char> *code)
{
  DcmPixelItem *item = nullptr;
  Uint8 *bytes = nullptr;
  if (sequence->getItem(item, i).bad() || item->getUint8Array(bytes).bad() || !bytes) return;
  code->insert(code->end(), bytes, bytes + item->getLength());
}

/* The fragments of a frame: one each, all of the only frame, or what begins a code stream anew. */
std::vector<unsigned char> FrameCode(DcmPixelSequence *sequence, long frame, long frames)
{
  std::vector<unsigned char> code;
  const unsigned long n = sequence->card();
  if (frames == 1) {
    for (unsigned long i = 1; i < n; i++) AppendFragment(sequence, i, &code);
  } else if (n == static_cast<unsigned long>(frames) + 1)
    AppendFragment(sequence, static_cast<unsigned long>(frame) + 1, &code);
  return code;
}

bool IsJ2K(E_TransferSyntax syntax)
{
  return syntax == EXS_JPEG2000LosslessOnly || syntax == EXS_JPEG2000 ||
         syntax == EXS_JPEG2000MulticomponentLosslessOnly || syntax == EXS_JPEG2000Multicomponent;
}

/* --- Pixels */

/* The bits that are stored, of a value as it lies in its word; extended by its sign. */
double Stored(uint32_t word, const DicomPixels *pixels)
{
  const int shift = pixels->high_bit + 1 - pixels->bits_stored, bits = pixels->bits_stored;
  const uint64_t mask = (UINT64_C(1) << bits) - 1, value = (word >> shift) & mask;
  if (pixels->is_signed && value >> (bits - 1))
    return static_cast<double>(static_cast<int64_t>(value) - static_cast<int64_t>(mask) - 1);
  return static_cast<double>(value);
}

void Unpack(const std::vector<unsigned char> &raw, const DicomPixels *pixels, bool halves, double *value)
{
  const size_t n = static_cast<size_t>(pixels->rows) * static_cast<size_t>(pixels->columns),
               bytes = static_cast<size_t>(pixels->bits_allocated) / 8;
  for (size_t i = 0; i < n; i++) {
    uint32_t word = 0;
    memcpy(&word, &raw[i * bytes],
           bytes); /* little-endian machines alone, as DCMTK gives words in the machine's order */
    if (halves) word = word >> 16 | word << 16;
    value[i] = Stored(word, pixels);
  }
}

bool FloatFrame(DicomItem set, const DicomPixels *pixels, long frame, double *value)
{
  const size_t n = static_cast<size_t>(pixels->rows) * static_cast<size_t>(pixels->columns),
               from = n * static_cast<size_t>(frame);
  const Float32 *f = nullptr;
  const Float64 *d = nullptr;
  unsigned long count = 0;
  if (Of(set)->findAndGetFloat32Array(DCM_FloatPixelData, f, &count).good() && f && count >= from + n)
    for (size_t i = 0; i < n; i++) value[i] = static_cast<double>(f[from + i]);
  else if (Of(set)->findAndGetFloat64Array(DCM_DoubleFloatPixelData, d, &count).good() && d && count >= from + n)
    memcpy(value, d + from, n * sizeof *value);
  else
    return false;
  return true;
}

bool J2KFrame(DcmPixelData *data, const DicomPixels *pixels, long frame, E_TransferSyntax syntax,
              const DcmRepresentationParameter *how, double *value)
{
  DcmPixelSequence *sequence = nullptr;
  if (data->getEncapsulatedRepresentation(syntax, how, sequence).bad() || !sequence) return false;
  if (!DecodeJ2K(FrameCode(sequence, frame, pixels->frames), pixels, value)) return false;
  const size_t n = static_cast<size_t>(pixels->rows) * static_cast<size_t>(pixels->columns);
  DicomPixels low = *pixels;
  low.high_bit = low.bits_stored - 1;
  for (size_t i = 0; i < n; i++) value[i] = Stored(static_cast<uint32_t>(static_cast<int64_t>(value[i])), &low);
  return true;
}

bool IntegerFrame(DicomItem set, const DicomPixels *pixels, long frame, double *value, char message[DICOM_MESSAGE])
{
  DcmPixelData *data = dynamic_cast<DcmPixelData *>(Find(set, DICOM(0x7fe0, 0x0010)));
  E_TransferSyntax syntax = EXS_Unknown;
  const DcmRepresentationParameter *how = nullptr;
  const size_t bytes = static_cast<size_t>(pixels->rows) * static_cast<size_t>(pixels->columns) *
                       static_cast<size_t>(pixels->bits_allocated) / 8;
  if (!data) return Say(message, "has no pixels");
  data->getOriginalRepresentationKey(syntax, how);
  if (IsJ2K(syntax))
    return J2KFrame(data, pixels, frame, syntax, how, value) || Say(message, "its JPEG 2000 pixels cannot be decoded");
  std::vector<unsigned char> raw(bytes + bytes % 2);
  Uint32 fragment = 0;
  OFString model;
  const OFCondition condition = data->getUncompressedFrame(Of(set), static_cast<Uint32>(frame), fragment, raw.data(),
                                                           static_cast<Uint32>(raw.size()), model);
  if (condition.bad())
    return Say(message, std::string("pixels of frame ") + std::to_string(frame + 1) +
                            " cannot be read (transfer syntax " + TransferSyntax(set.file) +
                            "): " + Readable(condition.text()));
  Unpack(raw, pixels, pixels->bits_allocated == 32 && syntax == EXS_BigEndianExplicit, value);
  return true;
}

/* Rows, columns, frames and bits are what robion can hold. */
bool CheckPixels(const DicomPixels *p, long samples, const std::string &photometric, char message[DICOM_MESSAGE])
{
  const double most = INT_MAX;
  if (samples != 1 || photometric.compare(0, 10, "MONOCHROME") != 0)
    return Say(message, "its pixels are colours (" + photometric + "), expected grey values");
  if (p->rows < 1 || p->columns < 1 || p->frames < 1 || p->frames > INT_MAX ||
      static_cast<double>(p->rows) * static_cast<double>(p->columns) * static_cast<double>(p->frames) > most)
    return Say(message, "has " + std::to_string(p->frames) + " frames of " + std::to_string(p->rows) + " x " +
                            std::to_string(p->columns) + " pixels, expected 1 to 2147483647 in all");
  if (p->is_float) return true;
  if ((p->bits_allocated != 8 && p->bits_allocated != 16 && p->bits_allocated != 32) || p->bits_stored < 1 ||
      p->high_bit < p->bits_stored - 1 || p->high_bit >= p->bits_allocated)
    return Say(message, "its pixels have " + std::to_string(p->bits_allocated) + " bits, of which " +
                            std::to_string(p->bits_stored) + " up to bit " + std::to_string(p->high_bit) +
                            " are used, expected 8, 16 or 32 that hold them");
  return true;
}

long IntegerOr(DicomItem item, DicomTag tag, long standard)
{
  (void)DicomInteger(item, tag, 0, &standard);
  return standard;
}

/* --- Write */

void Note(DicomItem item, DicomTag tag, const OFCondition &condition)
{
  char name[16];
  if (condition.good() || !item.file || !item.file->failure.empty()) return;
  snprintf(name, sizeof name, "(%04x,%04x)", tag >> 16, tag & 0xffff);
  item.file->failure = std::string(name) + ": " + condition.text();
}

/* Something to put, which may throw. */
template <class Call> void Put(DicomItem item, DicomTag tag, Call call)
{
  Note(item, tag, item.at ? Guarded(OFCondition(EC_MemoryExhausted), call) : OFCondition(EC_IllegalCall));
}

/* The shortest decimal string that is the number, or as near as 16 characters come. */
std::string Decimal(double value)
{
  char text[40];
  const locale_t before = uselocale(CLocale());
  std::string best;
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strlen(text) > 16) break;
    best = text;
    if (strtod(text, nullptr) == value) break;
  }
  uselocale(before);
  return best;
}

/* The type of a tag; pixel values may be of two. */
DcmTag Typed(DcmTagKey key, size_t n, const double *value)
{
  DcmTag tag(key);
  bool negative = false;
  for (size_t i = 0; i < n; i++) negative = negative || value[i] < 0;
  if (tag.getEVR() == EVR_xs || tag.getEVR() == EVR_lt) tag.setVR(DcmVR(negative ? EVR_SS : EVR_US));
  return tag;
}

OFCondition PutNumbers(DcmItem *item, DcmTagKey key, size_t n, const double *value)
{
  const DcmTag tag = Typed(key, n, value);
  OFCondition condition = item->insertEmptyElement(tag);
  std::string text;
  for (size_t i = 0; i < n && condition.good(); i++) {
    const unsigned long at = static_cast<unsigned long>(i);
    switch (tag.getEVR()) {
    case EVR_FD:
      condition = item->putAndInsertFloat64(tag, value[i], at);
      break;
    case EVR_US:
      condition = item->putAndInsertUint16(tag, static_cast<Uint16>(value[i]), at);
      break;
    case EVR_SS:
      condition = item->putAndInsertSint16(tag, static_cast<Sint16>(value[i]), at);
      break;
    case EVR_UL:
      condition = item->putAndInsertUint32(tag, static_cast<Uint32>(value[i]), at);
      break;
    case EVR_SL:
      condition = item->putAndInsertSint32(tag, static_cast<Sint32>(value[i]), at);
      break;
    case EVR_IS:
      text += (i ? "\\" : "") + std::to_string(std::llround(value[i]));
      break;
    case EVR_DS:
      text += (i ? "\\" : "") + Decimal(value[i]);
      break;
    default:
      condition = EC_InvalidVR;
    }
  }
  return condition.good() && !text.empty() ? item->putAndInsertString(tag, text.c_str()) : condition;
}

/* Many numbers in one go: putting them one by one would copy all again for each. */
OFCondition PutFloats(DcmItem *item, DcmTagKey key, size_t n, const double *value)
{
  if (DcmTag(key).getEVR() != EVR_FL) return PutNumbers(item, key, n, value);
  std::vector<Float32> narrow(value, value + n);
  return item->putAndInsertFloat32Array(key, narrow.data(), static_cast<unsigned long>(n));
}

} // namespace

const char *DicomLacks(void)
{
  return nullptr;
}

void DicomStart(void)
{
  static bool started;
  if (started) return;
  started = true;
  (void)Guarded(0, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    dcmEnableUnknownVRConversion.set(OFTrue);
    DcmRLEDecoderRegistration::registerCodecs();
    DJDecoderRegistration::registerCodecs();
    DJLSDecoderRegistration::registerCodecs();
    return dcmDataDict.isDictionaryLoaded() ? 1 : 0;
  });
}

void DicomLimitMemory(size_t more_bytes)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return;
  if (fscanf(file, "%lu", &pages) != 1) pages = 0;
  fclose(file);
  const rlim_t most = static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + more_bytes;
  static rlim_t given; /* the limit that was there at first; 0: not asked yet */
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit)) return;
  if (!given) given = limit.rlim_cur;
  limit.rlim_cur = given != RLIM_INFINITY && given < most ? given : most;
  (void)setrlimit(RLIMIT_AS, &limit);
}

bool DicomOpen(const char *path, DicomFile *out, char message[DICOM_MESSAGE])
{
  DicomFile file = nullptr;
  *out = nullptr;
  DicomStart();
  try {
    file = new DicomFile_private;
    const OFCondition condition = Load(&file->format, path);
    if (!Announces(path) && (condition.bad() || !IsDicom(file->format.getDataset())))
      Say(message, "is no DICOM file");
    else if (condition.bad())
      Say(message, "truncated or damaged DICOM: " + Readable(condition.text()));
    else if (!IsDicom(file->format.getDataset()))
      Say(message, "is DICOM, but does not say of what: no SOP class, no modality");
    else {
      Convert(file->format.getDataset());
      *out = file;
      return true;
    }
  } catch (...) {
    Say(message, "damaged: it does not fit into memory");
  }
  delete file;
  return false;
}

void DicomClose(DicomFile *file)
{
  (void)Guarded(0, [&] {
    delete *file;
    return 0;
  });
  *file = nullptr;
}

DicomItem DicomSet(DicomFile file)
{
  return DicomItem{static_cast<DcmItem *>(file->format.getDataset()), file};
}

DicomItem DicomHeader(DicomFile file)
{
  return DicomItem{static_cast<DcmItem *>(file->format.getMetaInfo()), file};
}

long DicomCount(DicomItem item, DicomTag tag)
{
  return Guarded(-1L, [&] {
    DcmElement *element = Find(item, tag);
    if (!element) return -1L;
    DcmSequenceOfItems *sequence = dynamic_cast<DcmSequenceOfItems *>(element);
    return static_cast<long>(sequence ? sequence->card() : element->getVM());
  });
}

DicomItem DicomItemAt(DicomItem item, DicomTag tag, long i)
{
  return Guarded(DicomItem{nullptr, item.file}, [&] {
    DcmSequenceOfItems *sequence = dynamic_cast<DcmSequenceOfItems *>(Find(item, tag));
    DcmItem *found = sequence && i >= 0 && static_cast<unsigned long>(i) < sequence->card()
                         ? sequence->getItem(static_cast<unsigned long>(i))
                         : nullptr;
    return DicomItem{found, item.file};
  });
}

bool DicomString(DicomItem item, DicomTag tag, long i, char *text, size_t size)
{
  *text = 0;
  return Guarded(false, [&] {
    DcmElement *element = Find(item, tag);
    OFString value;
    if (!element || i < 0 || element->getOFString(value, static_cast<unsigned long>(i)).bad()) return false;
    const std::string readable = Readable(std::string(value.c_str(), value.size()));
    Copy(readable, text, size);
    return !readable.empty();
  });
}

bool DicomDouble(DicomItem item, DicomTag tag, long i, double *value)
{
  return Guarded(false, [&] {
    double found;
    if (!Numbers(item, tag, i, 1, &found)) return false;
    *value = found;
    return true;
  });
}

bool DicomInteger(DicomItem item, DicomTag tag, long i, long *value)
{
  double number;
  if (!DicomDouble(item, tag, i, &number) || number != std::floor(number) || std::fabs(number) > 1e15) return false;
  *value = static_cast<long>(number);
  return true;
}

size_t DicomDoubles(DicomItem item, DicomTag tag, size_t n, double *value)
{
  return Guarded(static_cast<size_t>(0), [&] { return Numbers(item, tag, 0, n, value); });
}

size_t DicomBytes(DicomItem item, DicomTag tag, size_t n, unsigned char *bytes)
{
  return Guarded(static_cast<size_t>(0), [&] {
    DcmElement *element = Find(item, tag);
    Uint8 *found = nullptr;
    if (!element) return static_cast<size_t>(0);
    const size_t length = element->getLength();
    if (element->getUint8Array(found).good() && found)
      memcpy(bytes, found, length < n ? length : n);
    else {
      OFString text;
      if (element->getOFStringArray(text).bad()) return static_cast<size_t>(0);
      memcpy(bytes, text.c_str(), text.size() < n ? text.size() : n);
      return static_cast<size_t>(text.size());
    }
    return length;
  });
}

bool DicomPixelsDescribe(DicomItem set, DicomPixels *pixels, char message[DICOM_MESSAGE])
{
  char photometric[32];
  pixels->rows = IntegerOr(set, DICOM(0x0028, 0x0010), 0);
  pixels->columns = IntegerOr(set, DICOM(0x0028, 0x0011), 0);
  pixels->frames = IntegerOr(set, DICOM(0x0028, 0x0008), 1);
  pixels->bits_allocated = static_cast<int>(IntegerOr(set, DICOM(0x0028, 0x0100), 0) & 0xffff);
  pixels->bits_stored = static_cast<int>(IntegerOr(set, DICOM(0x0028, 0x0101), pixels->bits_allocated) & 0xffff);
  pixels->high_bit = static_cast<int>(IntegerOr(set, DICOM(0x0028, 0x0102), pixels->bits_stored - 1) & 0xffff);
  pixels->is_signed = IntegerOr(set, DICOM(0x0028, 0x0103), 0) == 1;
  pixels->is_float = DicomCount(set, DICOM(0x7fe0, 0x0008)) > 0 || DicomCount(set, DICOM(0x7fe0, 0x0009)) > 0;
  if (!DicomString(set, DICOM(0x0028, 0x0004), 0, photometric, sizeof photometric))
    snprintf(photometric, sizeof photometric, "MONOCHROME2");
  return Guarded(false,
                 [&] { return CheckPixels(pixels, IntegerOr(set, DICOM(0x0028, 0x0002), 1), photometric, message); });
}

bool DicomPixelsFrame(DicomItem set, const DicomPixels *pixels, long frame, double *value, char message[DICOM_MESSAGE])
{
  Say(message, "damaged: its pixels do not fit into memory");
  return Guarded(false, [&] {
    if (pixels->is_float)
      return FloatFrame(set, pixels, frame, value) || Say(message, "truncated or damaged: its pixels cannot be read");
    return IntegerFrame(set, pixels, frame, value, message);
  });
}

DicomFile DicomCreate(const char *sop_class_uid, const char *sop_instance_uid)
{
  DicomStart();
  return Guarded(static_cast<DicomFile>(nullptr), [&] {
    DicomFile file = new DicomFile_private;
    DicomPutString(DicomSet(file), DICOM(0x0008, 0x0005), "ISO_IR 192");
    DicomPutString(DicomSet(file), DICOM(0x0008, 0x0016), sop_class_uid);
    DicomPutString(DicomSet(file), DICOM(0x0008, 0x0018), sop_instance_uid);
    return file;
  });
}

void DicomPutString(DicomItem item, DicomTag tag, const char *utf8)
{
  Put(item, tag,
      [&] { return *utf8 ? Of(item)->putAndInsertString(Key(tag), utf8) : Of(item)->insertEmptyElement(Key(tag)); });
}

void DicomPutInteger(DicomItem item, DicomTag tag, long value)
{
  DicomPutDouble(item, tag, static_cast<double>(value));
}

void DicomPutDouble(DicomItem item, DicomTag tag, double value)
{
  DicomPutDoubles(item, tag, 1, &value);
}

void DicomPutDoubles(DicomItem item, DicomTag tag, size_t n, const double *value)
{
  Put(item, tag, [&] { return n ? PutFloats(Of(item), Key(tag), n, value) : Of(item)->insertEmptyElement(Key(tag)); });
}

void DicomPutTag(DicomItem item, DicomTag tag, DicomTag value)
{
  Put(item, tag, [&] {
    DcmAttributeTag *element = new DcmAttributeTag(DcmTag(Key(tag)));
    OFCondition condition = element->putTagVal(Key(value));
    if (condition.good()) condition = Of(item)->insert(element, OFTrue);
    if (condition.bad()) delete element;
    return condition;
  });
}

void DicomPutBytes(DicomItem item, DicomTag tag, size_t n, const unsigned char *bytes)
{
  Put(item, tag, [&] {
    DcmOtherByteOtherWord *element = new DcmOtherByteOtherWord(DcmTag(Key(tag), DcmVR(EVR_OB)));
    OFCondition condition = element->putUint8Array(bytes, static_cast<unsigned long>(n));
    if (condition.good()) condition = Of(item)->insert(element, OFTrue);
    if (condition.bad()) delete element;
    return condition;
  });
}

DicomItem DicomAppendItem(DicomItem item, DicomTag tag)
{
  DcmItem *made = nullptr;
  Put(item, tag, [&] { return Of(item)->findOrCreateSequenceItem(Key(tag), made, -2); });
  return DicomItem{made, item.file};
}

void DicomPutPixels16(DicomItem set, size_t n, const uint16_t *value)
{
  const DicomTag tag = DICOM(0x7fe0, 0x0010);
  Put(set, tag, [&] { return Of(set)->putAndInsertUint16Array(Key(tag), value, static_cast<unsigned long>(n)); });
}

bool DicomWrite(DicomFile file, const char *transfer_syntax_uid, const char *path, char message[DICOM_MESSAGE])
{
  Say(message, "no memory to write it");
  return Guarded(false, [&] {
    if (!file->failure.empty()) return Say(message, file->failure);
    const DcmXfer syntax(transfer_syntax_uid ? transfer_syntax_uid : explicit_little);
    const OFCondition condition = file->format.saveFile(path, syntax.getXfer(), EET_ExplicitLength);
    return condition.good() || Say(message, Readable(condition.text()));
  });
}
