"""What is answered to STOP, HELP and START, per language: data, with {sender} and {contact} to be filled.

`keywords.reply` uses it. Kept short, and in GSM 7-bit where the language allows: one segment each.
"""
# ruff: noqa: RUF001 - texts in many languages

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replies:
    """One language's three answers."""

    stopped: str
    help: str
    started: str


REPLIES: dict[str, Replies] = {
    "en": Replies(
        "{sender}: you are unsubscribed and will get no more messages. Reply START to subscribe again.",
        "{sender}: reply STOP to get no more messages. Contact: {contact}",
        "{sender}: you are subscribed again. Reply STOP to get no more messages.",
    ),
    "de": Replies(
        "{sender}: Sie sind abgemeldet und erhalten keine Nachrichten mehr. Mit START wieder anmelden.",
        "{sender}: Antworten Sie STOP, um keine Nachrichten mehr zu erhalten. Kontakt: {contact}",
        "{sender}: Sie sind wieder angemeldet. Antworten Sie STOP, um keine Nachrichten mehr zu erhalten.",
    ),
    "fr": Replies(
        "{sender} : vous êtes désabonné et ne recevrez plus de messages. Répondez START pour vous réabonner.",
        "{sender} : répondez STOP pour ne plus recevoir de messages. Contact : {contact}",
        "{sender} : vous êtes de nouveau abonné. Répondez STOP pour ne plus recevoir de messages.",
    ),
    "es": Replies(
        "{sender}: se ha dado de baja y no recibirá más mensajes. Responda START para volver a recibirlos.",
        "{sender}: responda STOP para no recibir más mensajes. Contacto: {contact}",
        "{sender}: vuelve a estar de alta. Responda STOP para no recibir más mensajes.",
    ),
    "it": Replies(
        "{sender}: iscrizione annullata, non riceverà altri messaggi. START per iscriversi di nuovo.",
        "{sender}: risponda STOP per non ricevere altri messaggi. Contatto: {contact}",
        "{sender}: è di nuovo iscritto. Risponda STOP per non ricevere altri messaggi.",
    ),
    "pt": Replies(
        "{sender}: o seu registo foi cancelado e não receberá mais mensagens. Responda START para voltar.",
        "{sender}: responda STOP para não receber mais mensagens. Contacto: {contact}",
        "{sender}: voltou a estar registado. Responda STOP para não receber mais mensagens.",
    ),
    "nl": Replies(
        "{sender}: u bent afgemeld en krijgt geen berichten meer. Antwoord START om u weer aan te melden.",
        "{sender}: antwoord STOP om geen berichten meer te krijgen. Contact: {contact}",
        "{sender}: u bent weer aangemeld. Antwoord STOP om geen berichten meer te krijgen.",
    ),
    "pl": Replies(
        "{sender}: wypisano. Nie otrzymasz więcej wiadomości. Odpisz START, aby je znów otrzymywać.",
        "{sender}: odpisz STOP, aby nie otrzymywać wiadomości. Kontakt: {contact}",
        "{sender}: zapisano ponownie. Odpisz STOP, aby nie otrzymywać wiadomości.",
    ),
    "sv": Replies(
        "{sender}: du är avregistrerad och får inga fler meddelanden. Svara START för att börja igen.",
        "{sender}: svara STOP för att slippa fler meddelanden. Kontakt: {contact}",
        "{sender}: du är registrerad igen. Svara STOP för att slippa fler meddelanden.",
    ),
    "da": Replies(
        "{sender}: du er afmeldt og får ikke flere beskeder. Svar START for at tilmelde dig igen.",
        "{sender}: svar STOP for ikke at få flere beskeder. Kontakt: {contact}",
        "{sender}: du er tilmeldt igen. Svar STOP for ikke at få flere beskeder.",
    ),
    "nb": Replies(
        "{sender}: du er avmeldt og får ikke flere meldinger. Svar START for å melde deg på igjen.",
        "{sender}: svar STOP for ikke å få flere meldinger. Kontakt: {contact}",
        "{sender}: du er påmeldt igjen. Svar STOP for ikke å få flere meldinger.",
    ),
    "fi": Replies(
        "{sender}: tilaus on peruttu, et saa enää viestejä. Vastaa START, jos haluat niitä taas.",
        "{sender}: vastaa STOP, niin et saa enää viestejä. Yhteys: {contact}",
        "{sender}: tilaus on taas voimassa. Vastaa STOP, niin et saa enää viestejä.",
    ),
    "cs": Replies(
        "{sender}: jste odhlášeni a nebudete dostávat další zprávy. Odpovězte START pro nové přihlášení.",
        "{sender}: odpovězte STOP a nebudete dostávat zprávy. Kontakt: {contact}",
        "{sender}: jste znovu přihlášeni. Odpovězte STOP a nebudete dostávat zprávy.",
    ),
    "tr": Replies(
        "{sender}: listeden çıkarıldınız, artık mesaj almayacaksınız. Yeniden almak için START yazın.",
        "{sender}: mesaj almamak için STOP yazın. İletişim: {contact}",
        "{sender}: yeniden kaydoldunuz. Mesaj almamak için STOP yazın.",
    ),
    "ru": Replies(
        "{sender}: вы отписаны, сообщений больше не будет. START - подписаться снова.",
        "{sender}: ответьте STOP, чтобы отписаться. Контакт: {contact}",
        "{sender}: вы снова подписаны. Ответьте STOP, чтобы отписаться.",
    ),
    "uk": Replies(
        "{sender}: вас відписано, повідомлень більше не буде. START - підписатися знову.",
        "{sender}: відповідайте STOP, щоб відписатися. Контакт: {contact}",
        "{sender}: вас знову підписано. STOP - відписатися.",
    ),
}
"""ISO 639-1 language -> answers; other languages are answered in English."""
