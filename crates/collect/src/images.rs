//! What stands in the files of each image, and what running containers changed of it, read in place.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_facts::{Container, Engine, Fact, Image, ImageConfig, ImageContent, Mount, PackageInventory};
use plimsoll_image::{Containerd, LayeredRoot, ReadImage, Reader, Union};
use plimsoll_rootdir::RootDir;
use serde::Deserialize;

use crate::gaps::Gaps;
use crate::procs::Processes;
use crate::source;

mod interpreters;
mod programs;
mod writable;

use self::programs::Programs;

/// Fills content and packages of every image, the packages of containers that changed theirs, and what listens in them.
pub(crate) fn fill(root: &RootDir, processes: Option<&Processes>, engines: &mut [Engine], gaps: &mut Gaps) {
    let mut reader = Reader::default();
    for engine in engines {
        let host = Host::of(root, engine);
        let mut look = Look { host, processes, reader: &mut reader, programs: Programs::default(), gaps };
        let mut by_image = by_image(engine.containers.value_mut());
        for image in engine.images.value_mut().into_iter().flatten() {
            let mut containers = by_image.remove(&image.id).unwrap_or_default();
            look.image(image, &containers);
            // What the image and its containers share is read once while it is at hand.
            containers.iter_mut().for_each(|container| look.container(container, Some(image)));
        }
        by_image.into_values().flatten().for_each(|container| look.container(container, None));
        engine.programs = look.programs.into_list();
    }
}

/// Containers by the image that they were made from.
fn by_image(containers: Option<&mut Vec<Container>>) -> BTreeMap<String, Vec<&mut Container>> {
    let mut by_image: BTreeMap<String, Vec<&mut Container>> = BTreeMap::new();
    for container in containers.into_iter().flatten() {
        let image = container.declared.value().map(|declared| declared.image_id.clone());
        by_image.entry(image.unwrap_or_default()).or_default().push(container);
    }
    by_image
}

/// Looks at the images and containers of one engine.
struct Look<'a> {
    host: Host<'a>,
    processes: Option<&'a Processes>,
    reader: &'a mut Reader,
    programs: Programs,
    gaps: &'a mut Gaps,
}

impl Look<'_> {
    fn image(&mut self, image: &mut Image, containers: &[&mut Container]) {
        let running = containers.iter().rfind(|container| container.effective.value().is_some());
        (image.content, image.packages) = match self.host.read(image, running.map(|it| &**it), self.reader) {
            Ok((content, packages, source)) => {
                (Fact::known(content, source.clone()), Fact::known(packages, source))
            }
            Err(reason) => {
                let subject = format!("image {}", image.name());
                let content = self.gaps.unreadable(&subject, LAYERS, &reason);
                (content, Fact::unreadable(LAYERS, reason))
            }
        };
    }

    fn container(&mut self, container: &mut Container, image: Option<&Image>) {
        if container.effective.value().is_none() {
            container.packages = Fact::absent("/proc");
            return;
        }
        let of_image = image.and_then(|image| image.packages.value());
        let root = writable::layers(&self.host, container);
        let packages = writable::packages(&root, of_image, self.reader);
        container.packages = self.gaps.keep(&format!("container {}", container.name), packages);
        if let Some(processes) = self.processes {
            let owners = || Ok(self.reader.owners(&root?));
            programs::note(processes, container, of_image, owners, &mut self.programs);
        }
    }
}

/// Where the files of images and containers are.
const LAYERS: &str = "layers on the host";

/// The host on which the layers of an engine's images may be.
pub(crate) struct Host<'a> {
    root: &'a RootDir,
    /// Data directory of the engine.
    data_root: Option<String>,
    storage_driver: String,
    rootless: bool,
    local: bool,
}

/// The namespace in which an engine keeps its images in containerd, where it is not told another
/// (`--containerd-namespace` of dockerd).
const ENGINE_NAMESPACE: &str = "moby";

/// What the source begins with where files are read through a process.
const PROCESS_ROOT: &str = "/proc/";

const NO_CONFIG: &str = "the engine did not describe the image";

/// What was read, and where.
type Content = (ImageContent, PackageInventory, String);

impl<'a> Host<'a> {
    /// The host of an engine.
    pub(crate) fn of(root: &'a RootDir, engine: &Engine) -> Self {
        let info = engine.info.value();
        Self {
            root,
            data_root: info.map(|info| info.data_root.clone()),
            storage_driver: info.map(|info| info.storage_driver.clone()).unwrap_or_default(),
            rootless: is_rootless(engine),
            local: is_local(engine),
        }
    }

    /// Reads one image, by the first way that leads to its files; `running` is a container that runs from it.
    fn read(
        &self,
        image: &Image,
        running: Option<&Container>,
        reader: &mut Reader,
    ) -> Result<Content, String> {
        let found = self.layers(image).or_else(|why| {
            let found = running.ok_or_else(|| "no container runs from it".to_owned());
            let found = found.and_then(|container| self.container(container));
            found.map_err(|reason| format!("{why}; {reason}"))
        });
        let (layers, source) = found?;
        let config = image.config.value().ok_or(NO_CONFIG)?;
        let (mut content, packages) = content(reader, &layers, &source, config);
        if let Some(running) = running.filter(|_| source.starts_with(PROCESS_ROOT)) {
            owners_inside(&mut content, running);
        }
        Ok((content, packages, source))
    }

    /// The layers of an image, where they are directories of this host, and which way led to them.
    pub(crate) fn layers(&self, image: &Image) -> Result<(LayeredRoot, String), String> {
        let config = image.config.value().ok_or(NO_CONFIG)?;
        if !self.local {
            return Err("the engine is on another host".to_owned());
        }
        self.own_layers(config)
            .or_else(|why| self.unpacked_layers(config).map_err(|reason| format!("{why}; {reason}")))
    }

    /// Reads the packages of an image from the blobs that containerd keeps: what is left of one that is not unpacked.
    pub(crate) fn packed(&self, image: &Image) -> Result<ReadImage, String> {
        let config = image.config.value().ok_or(NO_CONFIG)?;
        self.of_containerd(|containerd| containerd.packed(&image.id, &config.layers))
    }

    /// The files of a container that runs here, and which way led to them.
    pub(crate) fn container(&self, running: &Container) -> Result<(LayeredRoot, String), String> {
        self.mounted_layers(running)
            .or_else(|why| self.process_root(running).map_err(|reason| format!("{why}; {reason}")))
    }

    /// The directories that the engine names.
    fn own_layers(&self, config: &ImageConfig) -> Result<(LayeredRoot, String), String> {
        if config.layer_dirs.is_empty() {
            let driver = &config.storage_driver;
            return Err(format!("the engine names no layer directories (storage driver {driver:?})"));
        }
        let union = Union::of_driver(&config.storage_driver, self.rootless).ok_or_else(|| {
            format!("layers of storage driver {:?} are not directories", config.storage_driver)
        })?;
        let layers = LayeredRoot::open(self.root, &config.layer_dirs, union);
        Ok((layers.map_err(|error| error.to_string())?, "overlay directories".to_owned()))
    }

    /// The snapshots of an engine that keeps its images in containerd.
    fn unpacked_layers(&self, config: &ImageConfig) -> Result<(LayeredRoot, String), String> {
        // Docker 29 tells it of itself only.
        let own = Some(&config.storage_driver).filter(|driver| !driver.is_empty());
        let driver = own.unwrap_or(&self.storage_driver);
        let union = Union::of_driver(driver, self.rootless)
            .ok_or_else(|| format!("snapshots of {driver:?} are not directories"))?;
        let layers = self.of_containerd(|containerd| {
            containerd.unpacked(ENGINE_NAMESPACE, driver, union, &config.layers)
        })?;
        Ok((layers, "snapshots of containerd".to_owned()))
    }

    /// Asks the containerd that the engine started, else that of the system.
    fn of_containerd<T>(&self, ask: impl Fn(&Containerd) -> plimsoll_image::Result<T>) -> Result<T, String> {
        let own = self.data_root.as_ref().map(|dir| format!("{dir}/containerd/daemon"));
        let mut reasons = Vec::new();
        for path in own.into_iter().chain([containerd_root(self.root)]) {
            match Containerd::open(self.root, Path::new(&path)).and_then(|containerd| ask(&containerd)) {
                Ok(found) => return Ok(found),
                Err(error) => reasons.push(format!("containerd in {path}: {error}")),
            }
        }
        Err(reasons.join("; "))
    }

    /// The lower directories of the root mount of a container that runs from the image: what is left when the engine
    /// keeps its layers in containerd (overlayfs documentation, mount option `lowerdir`).
    fn mounted_layers(&self, container: &Container) -> Result<(LayeredRoot, String), String> {
        let mount = overlay_root(container)
            .ok_or_else(|| format!("container {} has no overlay as its root", container.name))?;
        let dirs = lower_dirs(&mount.super_options);
        if dirs.is_empty() || dirs.iter().any(|dir| !dir.starts_with('/')) {
            return Err(format!(
                "the lower directories of container {} are not named in full",
                container.name
            ));
        }
        let layers =
            LayeredRoot::open(self.root, &dirs, union_of(mount)).map_err(|error| error.to_string())?;
        Ok((layers, format!("lower directories of container {}", container.name)))
    }

    /// The root directory of a process that runs from the image, with what the container changed in it.
    fn process_root(&self, running: &Container) -> Result<(LayeredRoot, String), String> {
        let effective = running.effective.value().ok_or("no process runs from it")?;
        let pid = effective.init_pid;
        let dir = self.root.open_process_root(pid).map_err(|error| error.to_string())?;
        let layers = LayeredRoot::new(vec![dir], Union::Plain).map_err(|error| error.to_string())?;
        Ok((layers, format!("{PROCESS_ROOT}{pid}/root, changes of the running container included")))
    }
}

/// The mount of a container's root, where it is an overlay.
fn overlay_root(container: &Container) -> Option<&Mount> {
    let mounts = container.effective.value()?.mounts.value()?;
    mounts.iter().rfind(|mount| mount.target == "/").filter(|mount| mount.fs_type == "overlay")
}

/// How an overlay marks what it deleted.
fn union_of(mount: &Mount) -> Union {
    let by_user = mount.super_options.split(',').any(|option| option == "userxattr");
    if by_user { Union::OverlayUser } else { Union::Overlay }
}

/// What an audit asks of an image's files, where they are directories, and its packages.
pub(crate) fn content(
    reader: &mut Reader,
    layers: &LayeredRoot,
    source: &str,
    config: &ImageConfig,
) -> (ImageContent, PackageInventory) {
    let (mut content, packages) = reader.image(layers, source, &config.user);
    shift_owners(&mut content, &config.layer_dirs);
    (content, packages)
}

/// Where the system's containerd keeps everything (`root` of its configuration).
fn containerd_root(root: &RootDir) -> String {
    #[derive(Default, Deserialize)]
    struct Configuration {
        root: Option<String>,
    }
    let text = root.read_text("/etc/containerd/config.toml", source::SMALL).unwrap_or_default();
    let configuration: Configuration = toml::from_str(&text).unwrap_or_default();
    configuration.root.unwrap_or_else(|| "/var/lib/containerd".to_owned())
}

/// Whether the layers can be on this host: the engine is reached by a unix socket, or its process was found here.
fn is_local(engine: &Engine) -> bool {
    engine.endpoint.starts_with("unix:") || engine.daemon.value().is_some()
}

fn is_rootless(engine: &Engine) -> bool {
    let options = engine.info.value().map_or(&[][..], |info| &info.security_options);
    options.iter().any(|option| option == "name=rootless" || option == "rootless")
}

/// The lower directories in an overlay's options, topmost first: `lowerdir=A:B`, or `lowerdir+=A,lowerdir+=B` where
/// they were given one by one. Empty where a name holds an escaped character.
fn lower_dirs(options: &str) -> Vec<&str> {
    let named = options
        .split(',')
        .filter_map(|option| option.strip_prefix("lowerdir=").or_else(|| option.strip_prefix("lowerdir+=")));
    let dirs: Vec<_> = named.flat_map(|value| value.split(':')).collect();
    if dirs.iter().any(|dir| dir.contains('\\')) { Vec::new() } else { dirs }
}

/// With `userns-remap` the engine keeps layers below `DATA_ROOT/UID.GID/`, every owner raised by these ids; what
/// counts is the owner that the image gives.
fn shift_owners(content: &mut ImageContent, dirs: &[String]) {
    let base = |dir: &String| {
        dir.split('/').find_map(|part| {
            let (uid, gid) = part.split_once('.')?;
            Some((uid.parse::<u32>().ok()?, gid.parse::<u32>().ok()?))
        })
    };
    let Some((uid, gid)) = dirs.first().and_then(base) else { return };
    for file in &mut content.privileged_files {
        file.uid = file.uid.checked_sub(uid).unwrap_or(file.uid);
        file.gid = file.gid.checked_sub(gid).unwrap_or(file.gid);
    }
}

/// Through a process, files have the owners that the host sees; what counts is who that is in the container.
fn owners_inside(content: &mut ImageContent, running: &Container) {
    let map = running.effective.value().and_then(|effective| effective.uid_map.value());
    for file in &mut content.privileged_files {
        let inside = map.into_iter().flatten().find_map(|(inside, outside, count)| {
            let distance = file.uid.checked_sub(*outside).filter(|distance| distance < count)?;
            Some(inside + distance)
        });
        file.uid = inside.unwrap_or(file.uid);
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Effective, PrivilegedFile};

    use super::*;

    #[test]
    fn lower_directories_of_both_forms() {
        // Docker 29 with the containerd store; and an overlay made with fsconfig(2).
        let options = "rw,lowerdir=/c/snapshots/7/fs:/c/snapshots/3/fs,upperdir=/c/snapshots/8/fs,workdir=/w,nouserxattr";
        assert_eq!(lower_dirs(options), ["/c/snapshots/7/fs", "/c/snapshots/3/fs"]);
        assert_eq!(lower_dirs("ro,lowerdir+=/a,lowerdir+=/b,xino=off"), ["/a", "/b"]);
        assert!(lower_dirs("rw,lowerdir=/a\\:b:/c").is_empty());
        assert!(lower_dirs("rw,relatime").is_empty());
    }

    #[test]
    fn owners_of_remapped_engines() {
        let mut content = ImageContent {
            privileged_files: vec![PrivilegedFile {
                uid: 100_000,
                gid: 100_042,
                ..PrivilegedFile::default()
            }],
            ..ImageContent::default()
        };
        shift_owners(&mut content, &["/var/lib/docker/overlay2/aa.bb/diff".to_owned()]);
        assert_eq!(content.privileged_files[0].uid, 100_000);
        shift_owners(&mut content, &["/var/lib/docker/100000.100000/overlay2/x/diff".to_owned()]);
        assert_eq!((content.privileged_files[0].uid, content.privileged_files[0].gid), (0, 42));
    }

    #[test]
    fn owners_that_a_rootless_engine_maps() {
        let effective = Effective {
            uid_map: Fact::known(vec![(0, 1000, 1), (1, 100_000, 65_536)], "x"),
            ..Effective::default()
        };
        let running = Container { effective: Fact::known(effective, "x"), ..Container::default() };
        let file = |uid| PrivilegedFile { uid, ..PrivilegedFile::default() };
        let files = [1000, 100_007, 0].map(file).to_vec();
        let mut content = ImageContent { privileged_files: files, ..ImageContent::default() };
        owners_inside(&mut content, &running);
        let uids: Vec<u32> = content.privileged_files.iter().map(|file| file.uid).collect();
        assert_eq!(uids, [0, 8, 0]);
    }

    #[test]
    fn an_image_without_a_way_is_a_gap() {
        let dir = std::env::temp_dir();
        let root = RootDir::open(dir).unwrap();
        let config = ImageConfig { storage_driver: "overlayfs".to_owned(), ..Default::default() };
        let image = Image { id: "sha256:1".to_owned(), config: Fact::known(config, "x"), ..Image::default() };
        let mut engines = [Engine {
            endpoint: "unix:///s".to_owned(),
            images: Fact::known(vec![image], "x"),
            ..Engine::default()
        }];
        let mut gaps = Gaps::default();
        fill(&root, None, &mut engines, &mut gaps);
        let gaps = gaps.into_sorted();
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].reason.contains("names no layer directories"), "{gaps:?}");
        assert!(gaps[0].reason.contains("no container runs from it"), "{gaps:?}");
    }
}
