//! What has outlived its use goes.

use cobro_engine::intents::Repeatable;

use crate::double::Sandbox;

#[tokio::test]
async fn answers_are_forgotten_once_they_have_expired() {
    let sandbox = Sandbox::open().await;
    let world = sandbox.worlds.main();
    let merchant = world.terminal("TILL-demo-1").await.unwrap().merchant.id;
    let keep = async |digest: u8, lifetime_s: i64, text: &str| {
        let repeatable = Repeatable { digest: [digest; 32], lifetime_s };
        world.remember_answer(merchant, repeatable, text.to_owned()).await.unwrap()
    };
    for digest in 0..3 {
        keep(digest, 60, "short").await;
    }
    keep(3, 3600, "long").await;
    assert_eq!(world.forget_expired().await.unwrap(), 0, "nothing has expired");
    sandbox.ok("POST clock/advance", r#"{"seconds":61}"#).await;
    // Made new before it was forgotten.
    assert_eq!(keep(0, 60, "new").await, "new");
    assert_eq!(world.forget_expired().await.unwrap(), 2);
    assert_eq!(world.forget_expired().await.unwrap(), 0);
    for (digest, expected) in [(0, Some("new")), (1, None), (2, None), (3, Some("long"))] {
        let found = world.recall_answer(merchant, [digest; 32]).await.unwrap();
        assert_eq!(found.as_deref(), expected, "{digest}");
    }
}
