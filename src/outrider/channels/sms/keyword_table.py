"""The words by which people stop, ask for help and start again, in many languages. Data only.

`keywords` matches them. English holds everywhere (networks and 47 CFR 64.1200(a)(10) expect it); the seven
words of that rule are stop, quit, end, revoke, opt out, cancel and unsubscribe.
"""
# ruff: noqa: RUF001 - words of many languages

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One language's words, separated by commas; `around` are words that may stand beside a keyword."""

    stop: str
    help: str
    start: str
    around: str = ""


ALWAYS = "en"

VOCABULARIES: dict[str, Vocabulary] = {
    "en": Vocabulary(
        "stop, quit, end, revoke, opt out, optout, cancel, unsubscribe, stopall, stop all, remove me, "
        "remove, no more, do not text, don't text, do not contact",
        "help, info, information",
        "start, unstop, subscribe, opt in, optin, resume",
        "please, pls, plz, now, all, it, this, me, us, texting, texts, text, messages, message, messaging, "
        "sms, thanks, thank you, sending, contacting, from, your, the, these, immediately",
    ),
    "de": Vocabulary(
        "stopp, ende, abmelden, abbestellen, beenden, austragen, widerruf, widerrufen, kündigen, aufhören, "
        "keine sms, keine nachrichten",
        "hilfe, auskunft",
        "anmelden, fortsetzen, wieder anmelden",
        "bitte, danke, sofort, jetzt, alle, mich, mir, sms, nachrichten, mehr, diese, ihre, von",
    ),
    "fr": Vocabulary(
        "arrêt, arrêter, arrêtez, désabonner, désabonnement, désinscrire, désinscription, résilier, fin, "
        "annuler, stop sms",
        "aide, assistance",
        "reprendre, abonner, réabonner, commencer",
        "svp, stp, merci, s'il vous plaît, me, moi, sms, messages, message, les, des, de, vos, tout, plus",
    ),
    "es": Vocabulary(
        "baja, alto, parar, pare, cancelar, cancela, fin, terminar, darme de baja, dar de baja, no más",
        "ayuda, información",
        "alta, iniciar, empezar, reanudar, comenzar",
        "por favor, gracias, ya, todo, todos, sms, mensajes, mensaje, los, me, ahora",
    ),
    "it": Vocabulary(
        "ferma, basta, disiscrivi, disiscrivimi, cancella, cancellami, annulla, fine, revoca, disdici",
        "aiuto, informazioni",
        "inizia, riprendi, iscrivi, iscrivimi",
        "per favore, grazie, sms, messaggi, messaggio, i, subito, tutto, tutti, ora",
    ),
    "pt": Vocabulary(
        "parar, pare, sair, cancelar, cancele, descadastrar, remover, fim, chega",
        "ajuda, informação",
        "iniciar, voltar, retomar, começar",
        "por favor, obrigado, obrigada, sms, mensagens, mensagem, as, já, agora, tudo, todas",
    ),
    "nl": Vocabulary(
        "stoppen, afmelden, uitschrijven, opzeggen, einde, annuleren, beëindigen",
        "hulp, informatie",
        "aanmelden, hervatten, inschrijven",
        "aub, alstublieft, alsjeblieft, graag, sms, berichten, bericht, mij, me, nu, alle, dank, bedankt",
    ),
    "pl": Vocabulary(
        "rezygnuję, rezygnacja, wypisz, wypisz mnie, anuluj, koniec, zatrzymaj, przestań, usuń",
        "pomoc, informacja",
        "wznów, zapisz, zacznij",
        "proszę, dziękuję, sms, wiadomości, wszystko, teraz, już",
    ),
    "cs": Vocabulary(
        "konec, odhlásit, zrušit, přestaňte, ukončit",
        "pomoc, nápověda",
        "přihlásit, obnovit",
        "prosím, děkuji, sms, zprávy, hned",
    ),
    "sk": Vocabulary(
        "koniec, odhlásiť, zrušiť, prestaňte, ukončiť",
        "pomoc",
        "prihlásiť, obnoviť",
        "prosím, ďakujem, sms, správy, hneď",
    ),
    "hu": Vocabulary(
        "leállít, leiratkozás, leiratkozom, vége, lemondás, elég, törlés",
        "segítség, súgó",
        "feliratkozás, feliratkozom, indítás",
        "kérem, köszönöm, sms, üzenet, most",
    ),
    "ro": Vocabulary(
        "oprire, opriți, dezabonare, anulare, gata",
        "ajutor",
        "pornire, abonare, reluare",
        "vă rog, te rog, mulțumesc, sms, mesaje, acum",
    ),
    "sv": Vocabulary(
        "stopp, sluta, avsluta, avregistrera, avprenumerera, avbryt",
        "hjälp",
        "starta, börja, återuppta",
        "tack, snälla, sms, meddelanden, nu, alla",
    ),
    "da": Vocabulary(
        "stopp, afmeld, afslut, ophør, slut, annuller",
        "hjælp",
        "tilmeld, begynd, genoptag",
        "tak, venligst, sms, beskeder, nu, alle, mig",
    ),
    "nb": Vocabulary(
        "stopp, slutt, avslutt, avmeld, avbryt",
        "hjelp",
        "begynn, påmeld, gjenoppta",
        "takk, vennligst, sms, meldinger, nå, alle, meg",
    ),
    "fi": Vocabulary(
        "lopeta, seis, peru, peruuta, loppu", "apua, ohje", "aloita, jatka", "kiitos, sms, viestit, nyt, heti"
    ),
    "el": Vocabulary(
        "σταμάτα, σταματήστε, τέλος, διακοπή, διαγραφή, ακύρωση",
        "βοήθεια",
        "έναρξη, εγγραφή",
        "παρακαλώ, ευχαριστώ, sms, μηνύματα, τώρα",
    ),
    "tr": Vocabulary(
        "dur, durdur, iptal, ret, red, çık, son, bitir",
        "yardım, bilgi",
        "başla, başlat, devam",
        "lütfen, teşekkürler, sms, mesaj, artık, hemen",
    ),
    "ru": Vocabulary(
        "стоп, отписаться, отписка, отпишите, отмена, хватит, прекратите, конец, отказ",
        "помощь, справка",
        "старт, подписаться, возобновить",
        "пожалуйста, спасибо, смс, сообщения, меня, сейчас, все",
    ),
    "uk": Vocabulary(
        "стоп, відписатися, відписка, скасувати, досить, припиніть, кінець, відмова",
        "допомога, довідка",
        "старт, підписатися, відновити",
        "будь ласка, дякую, смс, повідомлення, мене, зараз, все",
    ),
    "bg": Vocabulary(
        "стоп, край, спри, отпиши, отказ, прекрати", "помощ", "старт, начало", "моля, благодаря, смс"
    ),
    "hr": Vocabulary(
        "stani, odjava, odjavi, kraj, prekid, otkaži", "pomoć", "prijava, kreni", "molim, hvala, sms"
    ),
    "sl": Vocabulary(
        "ustavi, odjava, odjavi, konec, prekliči", "pomoč", "prijava, začni", "prosim, hvala, sms"
    ),
    "lt": Vocabulary("stabdyti, atsisakyti, atsisakau, pabaiga", "pagalba", "pradėti", "prašau, ačiū, sms"),
    "lv": Vocabulary("apturēt, atteikties, atcelt, beigas", "palīdzība", "sākt", "lūdzu, paldies, sms"),
    "et": Vocabulary("lõpeta, peata, loobun, lõpp", "abi", "alusta", "palun, aitäh, sms"),
    "ar": Vocabulary("توقف, إيقاف, ايقاف, قف, إلغاء, الغاء", "مساعدة", "ابدأ, ابدا, اشتراك", "من فضلك, شكرا"),
    "he": Vocabulary("הסר, הסרה, הפסק, עצור, די, ביטול", "עזרה", "התחל, הצטרף", "בבקשה, תודה, אותי"),
    "fa": Vocabulary("لغو, توقف, پایان", "راهنما, کمک", "شروع", "لطفا, ممنون"),
    "hi": Vocabulary("रोकें, बंद, बंद करें, रुको, हटाएं", "मदद, सहायता", "शुरू, शुरू करें", "कृपया, धन्यवाद"),
    "id": Vocabulary(
        "berhenti, batal, hentikan, keluar", "bantuan, tolong", "mulai, daftar", "tolong, terima kasih, sms"
    ),
    "vi": Vocabulary(
        "dừng, hủy, ngừng, thôi, từ chối", "trợ giúp, giúp đỡ", "bắt đầu, đăng ký", "xin, cảm ơn, sms"
    ),
    "th": Vocabulary("หยุด, ยกเลิก", "ช่วยเหลือ", "เริ่ม", "กรุณา, ขอบคุณ"),
    "zh": Vocabulary(
        "停止, 退订, 退訂, 取消, 拒收, td", "帮助, 幫助", "开始, 開始, 订阅, 訂閱", "请, 請, 谢谢, 謝謝"
    ),
    "ja": Vocabulary(
        "停止, 解除, 配信停止, 退会, 中止, ストップ", "ヘルプ, 助けて", "開始, 再開, 登録", "お願いします"
    ),
    "ko": Vocabulary(
        "중지, 수신거부, 해지, 취소, 그만, 거부", "도움말, 도움", "시작, 재개", "주세요, 감사합니다"
    ),
}
"""ISO 639-1 language -> its words, in addition to the English ones."""
