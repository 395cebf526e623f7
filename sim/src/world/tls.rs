//! TLS in a world: the one that ships, with chance, time and keys of the world's own. Its handshakes draw from the seed, and the
//! network, which sees what is on the wire, is told the keys.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
};

use rand::Rng as _;
use rand_pcg::Pcg64Mcg;
use rustls::{
    ClientConfig, ContentType, Error, KeyLog, NamedGroup, PeerMisbehaved, ProtocolVersion, RootCertStore,
    ServerConfig, Tls13CipherSuite,
    client::Resumption,
    crypto::{
        ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
        cipher::{AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter},
        ring::{self, cipher_suite::TLS13_CHACHA20_POLY1305_SHA256},
        tls13::{HkdfExpander, OkmBlock},
    },
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    time_provider::TimeProvider,
    version::TLS13,
};
use x25519_dalek::{PublicKey, StaticSecret};

use super::{generator, host::Host};
use crate::trace::Side;

thread_local! {
    static WORLD: RefCell<Option<Known>> = const { RefCell::new(None) };
}

/// What TLS draws from, and the secrets it has told.
struct Known {
    chance: Pcg64Mcg,
    /// By what ClientHello calls its random, and who sends with it.
    secrets: BTreeMap<(Vec<u8>, Side), Vec<u8>>,
}

/// From now on this thread's TLS is that of a world.
pub(super) fn install(seed: u64) {
    let chance = generator(seed, "tls");
    let secrets = BTreeMap::new();
    WORLD.set(Some(Known { chance, secrets }));
}

/// The world is over.
pub(super) fn uninstall() {
    WORLD.take();
}

/// The broker's side.
pub(crate) fn server_config(host: Host) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).expect("the file is a key");
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(WallClock(host)))
        .with_protocol_versions(&[&TLS13])
        .expect("the suite is of TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .expect("the key is the certificate's");
    config.send_tls13_tickets = 0;
    config.key_log = Arc::new(Tell);
    Arc::new(config)
}

/// A client's side. The broker's certificate is for the name `broker`.
pub(crate) fn client_config(host: Host) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).expect("the file is a certificate");
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(WallClock(host)))
        .with_protocol_versions(&[&TLS13])
        .expect("the suite is of TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.key_log = Arc::new(Tell);
    Arc::new(config)
}

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("tls/certificate.pem")).expect("the file is a certificate")
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![TLS13_CHACHA20_POLY1305_SHA256],
        kx_groups: vec![&X25519],
        secure_random: &WorldRandom,
        ..ring::default_provider()
    })
}

fn suite() -> &'static Tls13CipherSuite {
    TLS13_CHACHA20_POLY1305_SHA256
        .tls13()
        .expect("the suite is of TLS 1.3")
}

fn fill(bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
    WORLD.with_borrow_mut(|world| {
        let world = world.as_mut().ok_or(GetRandomFailed)?;
        world.chance.fill_bytes(bytes);
        Ok(())
    })
}

#[derive(Debug)]
struct WorldRandom;

impl SecureRandom for WorldRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        fill(bytes)
    }
}

/// That of a host. The certificate is valid from 2026 to 2126.
#[derive(Debug)]
struct WallClock(Host);

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.0.wall_clock()))
    }
}

/// The key exchange, with keys that are drawn from the seed: ring draws its own from the machine.
#[derive(Debug)]
struct X25519;

struct Exchange {
    secret: StaticSecret,
    public: PublicKey,
}

impl SupportedKxGroup for X25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut secret = [0; 32];
        fill(&mut secret)?;
        let secret = StaticSecret::from(secret);
        let public = PublicKey::from(&secret);
        Ok(Box::new(Exchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer: [u8; 32] = peer
            .try_into()
            .map_err(|_| Error::from(PeerMisbehaved::InvalidKeyShare))?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(peer));
        Ok(SharedSecret::from(&shared.as_bytes()[..]))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// Tells the network the secrets of application data.
#[derive(Debug)]
struct Tell;

impl KeyLog for Tell {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let from = match label {
            "CLIENT_TRAFFIC_SECRET_0" => Side::Client,
            "SERVER_TRAFFIC_SECRET_0" => Side::Broker,
            _ => return,
        };
        WORLD.with_borrow_mut(|world| {
            if let Some(world) = world {
                let key = (client_random.to_vec(), from);
                world.secrets.insert(key, secret.to_vec());
            }
        });
    }
}

/// The TLS of one connection, as the network sees it from both sides.
#[derive(Clone, Default)]
pub(super) struct Session(Rc<OnceCell<Vec<u8>>>);

impl Session {
    /// The client's first handshake message begins the session; those that follow say nothing here.
    pub(super) fn hello(&self, message: &[u8]) {
        // The type, the length and the version come first.
        if let Some(random) = message.get(6..38) {
            self.0.get_or_init(|| random.to_vec());
        }
    }

    /// What opens the application data of a side, once its secret has been told.
    pub(super) fn opener(&self, from: Side) -> Option<Opener> {
        let key = (self.0.get()?.clone(), from);
        WORLD.with_borrow(|world| {
            world
                .as_ref()?
                .secrets
                .get(&key)
                .map(|secret| Opener::new(secret))
        })
    }
}

/// Opens the records of application data of one side, in their order.
pub(super) struct Opener {
    decrypter: Box<dyn MessageDecrypter>,
    next: u64,
}

impl Opener {
    fn new(secret: &[u8]) -> Self {
        let expander = suite().hkdf_provider.expander_for_okm(&OkmBlock::new(secret));
        let key = AeadKey::from(expanded(&*expander, b"key"));
        let iv = Iv::new(expanded(&*expander, b"iv"));
        Self {
            decrypter: suite().aead_alg.decrypter(key, iv),
            next: 0,
        }
    }

    /// What a record says to the application. A record of the handshake, which has another key, says nothing.
    pub(super) fn open(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        let mut record = record.to_vec();
        let sealed = InboundOpaqueMessage::new(
            ContentType::ApplicationData,
            ProtocolVersion::TLSv1_2,
            &mut record,
        );
        let opened = self.decrypter.decrypt(sealed, self.next).ok()?;
        self.next += 1;
        (opened.typ == ContentType::ApplicationData).then(|| opened.payload.to_vec())
    }
}

/// HKDF-Expand-Label without context (RFC 8446, 7.1).
fn expanded<const LEN: usize>(expander: &dyn HkdfExpander, label: &[u8]) -> [u8; LEN] {
    let len = u16::try_from(LEN).expect("a key is short").to_be_bytes();
    let label_len = [u8::try_from(PREFIX.len() + label.len()).expect("a label is short")];
    let mut output = [0; LEN];
    expander
        .expand_slice(&[&len, &label_len, PREFIX, label, &[0]], &mut output)
        .expect("a key is short");
    output
}

/// Of every label.
const PREFIX: &[u8] = b"tls13 ";
