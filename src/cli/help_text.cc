// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/help.h"

// What every verb is for, in words. The lines are at most 80 columns wide.
namespace plumb::cli {
namespace {

using Help = std::vector<VerbHelp>;

Help Making() {
  return {
      {"build",
       "pack",
       "make",
       "Make a ModelKit of a blueprint and the files it names",
       "Reads the Kitfile or Modelfile of DIR (default: the working directory), packs\n"
       "the files it names into layers, and saves the ModelKit in the store. The same\n"
       "blueprint and files give the same ModelKitID on every machine, on every day.\n"
       "Layers of which no file changed are not read again.\n"
       "\n"
       "Without --tag the kit has only its ModelKitID. A tag that is in use moves, and\n"
       "where it pointed is printed.\n"
       "\n"
       "The path of a Kitfile's model, or a FROM, may name another ModelKit: its base.\n"
       "One that is not in the store, and whose name has a host and a tag or a digest,\n"
       "is looked up in the registry. The result names it by digest, and the lock file\n"
       "(Kitfile.lock, Modelfile.lock) keeps what the tag meant: later builds take the\n"
       "same base until --update. With --locked everything the kit is made of, files\n"
       "too, must be as the lock file says.\n"
       "\n"
       "KitOps 1.7 cannot read layers that are compressed with zstd, crashes on kits with\n"
       "prompts, and fails where a dataset with a remotePath comes before one without.\n"
       "With gzip and zstd the ModelKitID depends on the version of the library that\n"
       "compresses.\n"
       "\n"
       "With --layer-format raw each file is a layer, named by the SHA-256 of the file:\n"
       "what Hugging Face and Ollama call it too. KitOps 1.7 cannot read such layers, and\n"
       "1.15 only if every entry of the blueprint is a single file. --format cncf makes a\n"
       "ModelPack, which modctl, KitOps 1.15 and container runtimes read, and KitOps 1.7\n"
       "does not; compressed archives in one (--layer-format tar --compression ...) modctl\n"
       "0.2.2 cannot read. Any blueprint can become either; a Modelfile of modctl, too, becomes a\n"
       "ModelKit unless --format cncf is said.",
       {{"Build the working directory and name the result", "plumb build . -t demo:v1"},
        {"Build from another blueprint, under two tags",
         "plumb build . -f small.kitfile -t demo:v2,latest"},
        {"Build what the lock file says, or nothing", "plumb build . --locked"}},
       {3, 4, 5, 6, 7, 8, 9}},
      {"unpack",
       "",
       "make",
       "Write the files of a ModelKit into a directory",
       "Every byte is checked before it is written, and each file appears whole or not\n"
       "at all. A kit that is not in the store, and whose name has a host, is pulled\n"
       "first; so are its bases, of which models and parts are unpacked. Files that are\n"
       "there already are an error, unless --overwrite or --ignore-existing says what to\n"
       "do with them.\n"
       "\n"
       "A filter is TYPE[,TYPE...][:NAME[,NAME...]] with the types kitfile, model,\n"
       "datasets, code, docs, prompts and mcpservers. Of several filters one must match.",
       {{"Unpack everything", "plumb unpack demo:v1 -d out"},
        {"Only the model and one data set",
         "plumb unpack demo:v1 -d out -f model -f datasets:train"}},
       {3, 4, 5, 6, 7, 8, 9}},
  };
}

Help Exchanging() {
  return {
      {"init",
       "",
       "make",
       "Write a blueprint for what lies in a directory",
       "Looks at names and sizes of the files in DIR (default: the working directory)\n"
       "and writes a Kitfile that 'plumb build' takes: the largest model file, or the\n"
       "first of several shards, is the model, other model files and the texts beside\n"
       "them are its parts; tables are data sets; AGENTS.md, CLAUDE.md, '*.prompt*' and\n"
       "directories with a SKILL.md are prompts; what remains is code. A well-known\n"
       "licence is recognised. With --modelfile it is a Modelfile.",
       {{"For the working directory", "plumb init"},
        {"Only look", "plumb init models --modelfile --output -"}},
       {3, 5, 6, 7, 8}},
      {"export",
       "",
       "make",
       "Write ModelKits into one file",
       "Writes the kits, with their names and the kits they are built upon, into FILE:\n"
       "a tar with an OCI image layout in it, which 'plumb import', skopeo and podman\n"
       "read. The same kits give the same bytes. FILE appears whole or not at all; -\n"
       "writes to standard output. A pipe or a device that is there is written into;\n"
       "with --force a symlink stays, and the file it leads to is replaced.",
       {{"Two kits into one file", "plumb export demo:v1 demo:v2 demo.tar"},
        {"To another machine", "plumb export demo:v1 - | ssh server plumb import -"}},
       {3, 4, 5, 6, 7, 8, 9}},
      {"import",
       "",
       "make",
       "Take models from elsewhere on this machine into the store",
       "SOURCE is\n"
       "  FILE                     what 'plumb export' or skopeo (oci-archive) wrote, plain\n"
       "                           or compressed; - for standard input; a GGUF or a\n"
       "                           safetensors file\n"
       "  DIRECTORY                files, with a Kitfile or Modelfile or without; an OCI\n"
       "                           layout; the store of Ollama or of kit; a Hugging Face\n"
       "                           cache, a model in it (models--ORGANIZATION--NAME), or a\n"
       "                           snapshot of one, as 'hf download' prints it\n"
       "  oci:DIRECTORY[:TAG]      an OCI layout\n"
       "  ollama:[MODEL[:TAG]]     from Ollama's store ($OLLAMA_MODELS)\n"
       "  hf:[ORG/NAME[@REVISION]] from the Hugging Face cache ($HF_HUB_CACHE, $HF_HOME)\n"
       "  kit:[REFERENCE]          from kit's store ($KITOPS_HOME)\n"
       "ollama:, hf: and kit: alone, and a cache or store, stand for all that is in it.\n"
       "Nothing is fetched from a network. What is named by a digest is compared with it;\n"
       "a kit is there whole or not at all.\n"
       "\n"
       "Files of Ollama, of the Hugging Face cache, of GGUF and safetensors share their\n"
       "blocks with the store where the file system can do that (xfs, btrfs). With\n"
       "--link they are used where they lie, by hard links: who writes to one later makes\n"
       "the kit unreadable, which is noticed; it is never read wrong. Else they are copied.\n"
       "\n"
       "What no Modelfile can say of a model of Ollama is kept in the Kitfile. Of all that\n"
       "is in a store, what cannot be imported is passed over with a warning.\n"
       "\n"
       "Kits and models keep their names, in lower case but for the tag; of a revision the\n"
       "tag is its name, or the first 12 digits. A tag that is in use moves, and where it\n"
       "pointed is printed. --tag names the kit otherwise, if there is only one.",
       {{"What somebody sent", "plumb import demo.tar"},
        {"A model that Ollama has pulled", "plumb import ollama:llama3.2"},
        {"One that was downloaded with Hugging Face's tools",
         "plumb import hf:org/model --tag model:v1"}},
       {3, 4, 5, 6, 7, 8, 9}},
  };
}

Help Looking() {
  return {
      {"list",
       "ls",
       "look",
       "List the ModelKits of this store, or the tags of a repository elsewhere",
       "Without an argument everything in this store; with the name of a repository only\n"
       "its kits, and with a tag only that one; with a name that has a host, or an OCI\n"
       "layout, the tags it has there.\n"
       "\n"
       "Wherever a kit of this store is named, the beginning of its ModelKitID will do,\n"
       "if it has 7 digits and is of no other: sha256:60a7977 or @60a7977.\n"
       "\n"
       "--format takes table, json, or a template in which {{.Repo}} {{.Digest}}\n"
       "{{.Tags}} {{.ModelName}} {{.Size}} and {{.Author}} stand for what the list knows\n"
       "of a kit, \\t for a tab and \\n for the end of a line.",
       {{"What is here", "plumb list"},
        {"What a registry has", "plumb list registry.example.com/team/demo"},
        {"Digests and names, for a script", "plumb list --format '{{.Digest}}\\t{{.Repo}}'"}},
       {3, 4, 6, 7, 8, 9}},
      {"info",
       "",
       "look",
       "Show the Kitfile of a ModelKit",
       "Prints the Kitfile as YAML, without digests. --filter prints one part of it.",
       {{"The whole Kitfile", "plumb info demo:v1"},
        {"Where the model is in it", "plumb info demo:v1 --filter .model.path"}},
       {3, 4, 6, 7, 8, 9}},
      {"inspect",
       "",
       "look",
       "Show the manifest and the config of a ModelKit",
       "Prints, as JSON, the ModelKitID, the files root (one digest for all that unpack\n"
       "writes, if a build here knew it), the config with the digests of its layers, and\n"
       "the manifest.",
       {{"A kit of this store", "plumb inspect demo:v1"},
        {"A kit in a registry, without pulling it",
         "plumb inspect -r registry.example.com/team/demo:v1"}},
       {3, 4, 6, 7, 8, 9}},
      {"diff",
       "",
       "look",
       "Show in what two ModelKits differ",
       "Compares configs, annotations and layers, and the Kitfiles field by field. Layers\n"
       "are the same if their digests are. A name after remote://, and an OCI layout\n"
       "oci:DIR[:TAG], is looked up there and nothing is pulled.",
       {{"Two versions", "plumb diff demo:v1 demo:v2"},
        {"Whether two tags are the same kit", "plumb diff --exit-code demo:v1 demo:v2 >/dev/null"},
        {"What a push would change",
         "plumb diff remote://registry.example.com/team/demo:v1 demo:v1"}},
       {1, 3, 4, 6, 7, 8, 9}},
      {"show",
       "",
       "look",
       "Show the tensors of a ModelKit, or a blueprint in normal form",
       "Lists the tensors of a kit and of the kits that it is built on, from the headers of\n"
       "its safetensors and GGUF files: name, type of the elements, shape (outermost\n"
       "dimension first), size, file. Nothing else of them is read. Shards that are missing\n"
       "or do not fit together are warned of. With --json also where a tensor lies: at\n"
       "\"offset\" of its file, which begins at \"layerOffset\" of its layer, if that is not\n"
       "compressed.\n"
       "\n"
       "With --blueprint, prints a Modelfile or Kitfile as Plumb reads it; the output reads\n"
       "back as the same. Errors name line and column. With --compat a Modelfile is read as\n"
       "Ollama reads it, which forgives more and loses some of it.",
       {{"What is in it", "plumb show demo:v1"},
        {"Check a Modelfile", "plumb show --blueprint Modelfile"},
        {"Its commands, for a script", "plumb show --blueprint - --json < Modelfile"}},
       {3, 4, 6, 7, 8, 9}},
  };
}

Help Changing() {
  return {
      {"tag",
       "",
       "change",
       "Give a ModelKit one more name",
       "A tag that is in use moves, and where it pointed is printed.",
       {{"Name a version", "plumb tag demo:latest demo:v1"},
        {"Prepare a push", "plumb tag demo:v1 registry.example.com/team/demo:v1"}},
       {3, 4, 5, 6, 7, 8, 9}},
      {"remove",
       "rm",
       "change",
       "Take tags or ModelKits away",
       "A reference with a tag loses that tag; a reference with a digest, or a bare\n"
       "ModelKitID, names the kit itself, which must have no tag left, and on which no\n"
       "other kit of this store may be based. --force takes the kit with all its tags,\n"
       "and warns if others are based on it: they cannot be unpacked without it. --all\n"
       "takes every kit without a tag, but for those that kits which stay are based on,\n"
       "and with --force every kit. 'plumb gc' gives back the space.\n"
       "\n"
       "Of several references those before the first error are taken away.",
       {{"Take a tag away", "plumb remove demo:v1"},
        {"Take a kit away with all its tags", "plumb remove --force demo:v1"}},
       {3, 4, 5, 6, 7, 8, 9}},
  };
}

Help Sharing() {
  return {
      {"login",
       "",
       "share",
       "Keep a credential for a registry",
       "Tries the credential and, if the registry takes it, keeps it in a file that only\n"
       "its owner can read. Docker's own credentials are read too, and never written.\n"
       "Without --password or --password-stdin a terminal is asked for the password.",
       {{"Be asked for the password", "plumb login registry.example.com -u me"},
        {"In a script", "plumb login registry.example.com -u me --password-stdin < token"}},
       {6, 7, 8}},
      {"logout",
       "",
       "share",
       "Forget the credential for a registry",
       "Forgets what 'plumb login' kept. Docker's own credentials stay.",
       {{"Forget one", "plumb logout registry.example.com"},
        {"Forget one of a registry on this machine", "plumb logout localhost:5000"}},
       {3, 6, 8}},
      {"push",
       "",
       "share",
       "Send a ModelKit to a registry or an OCI layout",
       "Sends what is not there yet, and names it only once all of it has arrived. Without\n"
       "TARGET the kit goes where its own name says; a TARGET without a tag takes that of\n"
       "SOURCE. A target oci:DIR[:TAG] is a directory in the OCI image layout.",
       {{"Under its own name", "plumb push registry.example.com/team/demo:v1"},
        {"Under another one", "plumb push demo:v1 registry.example.com/team/demo:v1"},
        {"Into a directory", "plumb push demo:v1 oci:backup:v1"}},
       {3, 4, 5, 6, 7, 8, 9}},
      {"pull",
       "",
       "share",
       "Fetch a ModelKit into the store",
       "Fetches what is not here yet. Nothing is visible before all of it is here and\n"
       "checked. NAME is what the kit is called here; without it, what it is called there.",
       {{"From a registry", "plumb pull registry.example.com/team/demo:v1"},
        {"From a directory", "plumb pull oci:backup:v1 demo:v1"}},
       {3, 4, 5, 6, 7, 8, 9}},
  };
}

Help Trusting() {
  return {
      {"verify",
       "",
       "trust",
       "Check that a ModelKit is what it says it is",
       "Prints a table of what was looked at, each with yes, no, not present or unknown.\n"
       "digests: every blob of the kit was read, and is what its digest says. bases: so\n"
       "are those of its bases; unknown if one is not in the store, or is named by a tag.\n"
       "\n"
       "--rebuild builds the kit again from its own files and Kitfile, without unpacking\n"
       "them, and compares the ModelKitID. gzip and zstd layers come out the same only\n"
       "with the same library; then the content is compared and the answer is no.\n"
       "\n"
       "A no ends with exit code 1. A rebuild that is unknown ends with that of what\n"
       "stood in its way, such as 7 for a base whose registry does not answer.",
       {{"Read everything once", "plumb verify demo:v1"},
        {"Build it again as well", "plumb verify demo:v1 --rebuild"}},
       {1, 3, 4, 5, 6, 7, 8, 9}},
  };
}

Help Keeping() {
  return {
      {"gc",
       "",
       "keep",
       "Give back the space of what no ModelKit needs",
       "Kits without a tag go 90 days after a tag left them, or 14 days after they came\n"
       "without one; a time that is given, here or as the setting gc.keep-untagged, counts\n"
       "for both. Kits that others are based on stay. A kit that was removed by its digest,\n"
       "or with --force, goes at once. What no kit needs any more is taken away, and pack\n"
       "files that hold little else are written anew. Any other command may run at the\n"
       "same time: what it may need stays until the next gc.\n"
       "\n"
       "It can be stopped at any time. A store with a kit that cannot be read is\n"
       "not collected: 'plumb fsck' tells which.",
       {{"What would go", "plumb gc --dry-run"},
        {"Everything without a tag, now", "plumb gc --keep-untagged 0"}},
       {4, 6, 7, 8, 9}},
      {"optimize",
       "",
       "keep",
       "Write tensors anew where that makes them smaller",
       "Tensors are kept in a form that suits their elements: exponents, mantissas, scales\n"
       "and quants apart. This looks for those that another form would make smaller: with\n"
       "--archive as small as they get, which takes longer to read. Each is read back and\n"
       "compared before its old bytes count as needless; 'plumb gc' then gives these back.\n"
       "No digest and no name changes. Any other command may run at the same time, and\n"
       "it can be stopped at any time.",
       {{"What came before this form was known", "plumb optimize"},
        {"Weights that are rarely used", "plumb optimize --archive && plumb gc"}},
       {4, 6, 7, 8, 9}},
  };
}

Help KeepingWhole() {
  return {
      {"fsck",
       "",
       "keep",
       "Look for damage in the store",
       "Without --full: whether all that is named is there, and says what it is. With\n"
       "--full every byte is read and hashed. Names what is damaged, and which kits and\n"
       "layers need it; damage ends with exit code 1.\n"
       "\n"
       "What is damaged is remembered: building or pulling the same content again\n"
       "replaces it.\n"
       "\n"
       "With --rebuild-catalog the catalog, which says where everything is, is first made\n"
       "again from the packs, which hold everything: kits, tags and their moves too. All\n"
       "packs are read and hashed; what is damaged in them is named and left out. Nobody\n"
       "else may have the store open. What was in the catalog's place is kept beside it.\n"
       "\n"
       "With --repair every byte is read and hashed, too, and what is damaged or missing\n"
       "is stored anew: from what is here if there is another copy, else from FROM, where\n"
       "it is looked for by its digest. FROM is a repository of a registry, a layout\n"
       "directory, or a bundle that is not compressed. What could not be mended is named.",
       {{"Quickly", "plumb fsck"},
        {"Every byte", "plumb fsck --full"},
        {"What a registry has replaces what is damaged",
         "plumb fsck --repair registry.example.org/team/demo"},
        {"The catalog is lost or damaged", "plumb fsck --rebuild-catalog"}},
       {1, 3, 4, 6, 7, 8, 9}},
      {"du",
       "",
       "keep",
       "Show what each ModelKit takes in the store",
       "SIZE is what the kit is long, STORED what all it needs takes here, ADDED what it\n"
       "brought that no older kit needs, ONLY what nothing else needs: removing the kit with\n"
       "all its tags would free that. What is needed by several counts once in the sum.\n"
       "Garbage goes at the next gc; what pulls\n"
       "left that did not end is kept 14 days, so that they can go on. Bookkeeping has what\n"
       "is too little to be worth a gc.",
       {{"The whole store", "plumb du"}, {"What one kit adds", "plumb du demo:v1"}},
       {3, 4, 6, 7, 8, 9}},
      {"config",
       "",
       "keep",
       "Show or change the settings",
       "Without KEY all that is set, and where; with KEY its value; with VALUE it is set.\n"
       "What a person wrote into the file beside it stays. A flag counts more than the\n"
       "environment, the environment more than a setting.\n"
       "\n"
       "threads, concurrency and proxy are what the flags of these names say;\n"
       "gc.keep-untagged is --keep-untagged of gc. For one registry, by the name that\n"
       "references have for it, and for no other: registry.HOST.plain-http and .tls-verify\n"
       "(true or false), .ca-file, .cert and .key (files, named from / or ~/ on) and\n"
       ".proxy.\n"
       "\n"
       "A file of settings that anybody may write is not read; PLUMB_CONFIG=/dev/null is\n"
       "none.",
       {{"What is set", "plumb config"},
        {"A registry at home, without TLS", "plumb config registry.nas.local:5000.plain-http true"},
        {"No longer", "plumb config --unset registry.nas.local:5000.plain-http"}},
       {3, 6, 7, 8}},
  };
}

Help Helping() {
  return {
      {"version",
       "",
       "keep",
       "Show which Plumb this is",
       "Prints the version and the compiler it was made with.",
       {{"For a person", "plumb version"}, {"For a script", "plumb version --json"}},
       {}},
      {"completion",
       "",
       "keep",
       "Print what a shell needs to complete Plumb's verbs, flags and references",
       "SHELL is bash, zsh or fish.",
       {{"bash, in ~/.bashrc", "source <(plumb completion bash)"},
        {"fish", "plumb completion fish > ~/.config/fish/completions/plumb.fish"}},
       {}},
      {"help",
       "",
       "keep",
       "Show what a verb does",
       "Without VERB all verbs.",
       {{"All verbs", "plumb help"}, {"One of them", "plumb help build"}},
       {}},
  };
}

}  // namespace

std::span<const VerbHelp> AllHelp() {
  static const Help all = [] {
    Help help;
    for (const Help& group : {Making(), Exchanging(), Looking(), Changing(), Sharing(), Trusting(),
                              Keeping(), KeepingWhole(), Helping()})
      help.insert(help.end(), group.begin(), group.end());
    return help;
  }();
  return all;
}

}  // namespace plumb::cli
